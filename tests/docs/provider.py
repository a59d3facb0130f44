"""A provider of models that speaks OpenAI's HTTP API as far as the example asks; the provider is not ours to run."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def provider(answers):
    """Serve the answers in their order, and yield the base address."""
    given = iter(enumerate(answers, start=1))

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self):
            """Answer a chat completion, or judge a text: what speaks of violence is violent."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known = {"/v1/chat/completions": self.answer, "/v1/moderations": self.judge}
            written = json.dumps(known[self.path](asked)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def answer(self, asked):
            """Give the next answer."""
            number, text = next(given)
            message = {"role": "assistant", "content": text}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
            body = {"id": f"answer-{number}", "object": "chat.completion", "created": 0, "model": asked["model"]}
            return body | {"choices": [choice], "usage": usage}

        def judge(self, asked):
            """Flag a text by a word in it."""
            found = "violence" in asked["input"]
            scores = {"violence": 0.9 if found else 0.1}
            result = {"flagged": found, "categories": {"violence": found}, "category_scores": scores}
            return {"id": "judged", "model": "omni-moderation-latest", "results": [result]}

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()
