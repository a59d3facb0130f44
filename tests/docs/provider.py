"""A provider of models that speaks OpenAI's HTTP API as far as the example asks; the provider is not ours to run."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(number, model, text):
    """Return the body of a chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    body = {"id": f"answer-{number}", "object": "chat.completion", "created": 0, "model": model, "usage": usage}
    return body | {"choices": [choice]}


def moderation(asked):
    """Return the body of a moderation, which flags a text by a word in it."""
    found = "violence" in asked["input"]
    result = {
        "flagged": found,
        "categories": {"violence": found},
        "category_scores": {"violence": 0.9 if found else 0.1},
    }
    return {"id": "judged", "model": "omni-moderation-latest", "results": [result]}


@contextmanager
def provider(answers):
    """Serve the answers in their order, and yield the base address.

    Each is the text of a completion, or a status with the whole body of the answer.
    """
    given = iter(enumerate(answers, start=1))

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self):
            """Answer a chat completion, or judge a text."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = (200, moderation(asked)) if self.path == "/v1/moderations" else self.answer(asked)
            written = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def answer(self, asked):
            """Return status and body of the next answer."""
            assert self.path == "/v1/chat/completions"
            number, answer = next(given)
            return answer if isinstance(answer, tuple) else (200, completion(number, asked["model"], answer))

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()
