"""A provider of models on loopback: the HTTP APIs of OpenAI and Anthropic as far as their SDKs ask.

What it answers is told by the last `[[word]]` of the prompt, plainly without one; no provider is ours to run.
"""

import json
import re
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ASKED = re.compile(r"\[\[(\w+)\]\]")
USAGE = {
    "plain": (21, 9), "stream": (33, 11), "tool": (60, 17), "answered": (85, 12), "refusal": (29, 10),
    "filter": (31, 2), "safe": (24, 8), "streamtool": (47, 19), "later": (26, 14),
}  # fmt: skip
"""Tokens in and out of each answer, distinct, so that each can be told in a sum."""
TOOLS = ("tool", "streamtool")
"""What is answered with the wish to call a tool, until its result is in the prompt."""
DENIED = {"message": "The response was filtered due to the prompt triggering the content management policy.",
          "type": None, "param": "prompt", "code": "content_filter", "status": 400}  # fmt: skip
"""As Azure refuses a prompt."""


def openai_answer(word, body):
    """Return a chat completion."""
    told = any(message["role"] == "tool" for message in body["messages"])
    word = "answered" if word in TOOLS and told else word
    message, finish = {"role": "assistant", "content": f"The answer to {word}."}, "stop"
    if word in TOOLS:
        call = {"name": "get_weather", "arguments": json.dumps({"city": "Paris"})}
        message |= {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
        finish = "tool_calls"
    if word == "refusal":
        message |= {"content": None, "refusal": "I can't help with that."}
    if word == "filter":
        message, finish = message | {"content": ""}, "content_filter"
    given, made = USAGE[word]
    usage = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion", "created": 1_790_000_000,
        "model": "gpt-4o-2024-08-06", "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage,
    }  # fmt: skip


def openai_stream(answer):
    """Yield the same as a stream, a word at a time."""
    base = {name: answer[name] for name in ("id", "created", "model")} | {"object": "chat.completion.chunk"}
    choice = answer["choices"][0]
    for delta in [*_deltas(choice["message"]), {}]:
        finish = None if delta else choice["finish_reason"]
        yield base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    yield base | {"choices": [], "usage": answer["usage"]}


def _deltas(message):
    """Return a message in parts: a word each, or a tool's name and then its arguments."""
    role = {"role": "assistant", "content": None}
    if "tool_calls" in message:
        [call] = message["tool_calls"]
        named = call | {"index": 0, "function": call["function"] | {"arguments": ""}}
        arguments = {"index": 0, "function": {"arguments": call["function"]["arguments"]}}
        return [role | {"tool_calls": [named]}, {"tool_calls": [arguments]}]
    return [role | {"content": f"{word} "} for word in message["content"].split()]


def anthropic_answer(word, body):
    """Return a message."""
    given, made = USAGE[word]
    refused = word == "refusal"
    return {
        "id": f"msg_{uuid.uuid4().hex}", "type": "message", "role": "assistant", "model": body["model"],
        "stop_sequence": None,
        "content": [] if refused else [{"type": "text", "text": f"The answer to {word}."}],
        "stop_reason": "refusal" if refused else "end_turn", "usage": {"input_tokens": given, "output_tokens": made},
    }  # fmt: skip


class _Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        """Answer a call."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        word = ["plain", *ASKED.findall(json.dumps(body["messages"]))][-1]
        if word == "busy":
            self._send(429, {"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit"}})
        elif word == "denied":
            self._send(400, {"error": DENIED})
        elif self.path.endswith("/messages"):
            self._send(200, anthropic_answer(word, body))
        elif body.get("stream"):
            chunks = [f"data: {json.dumps(chunk)}\n\n" for chunk in openai_stream(openai_answer(word, body))]
            self._write(200, "text/event-stream", "".join([*chunks, "data: [DONE]\n\n"]).encode())
        else:
            self._send(200, openai_answer(word, body))

    def _send(self, status, body):
        self._write(status, "application/json", json.dumps(body).encode())

    def _write(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def provider():
    """Yield the address of a running provider."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
