"""A provider of models that speaks OpenAI's HTTP API as far as the example asks; the provider is not ours to run."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(number, model, text):
    """Return the body of a chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": f"answer-{number}", "object": "chat.completion", "created": 0, "model": model, "choices": [choice]}


@contextmanager
def provider(answers):
    """Serve the answers in their order, and yield the base address.

    Each is the text of a completion, or a status with the whole body of the answer.
    """
    given = iter(enumerate(answers, start=1))

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self):
            """Answer a chat completion."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/v1/chat/completions"
            number, answer = next(given)
            status, body = answer if isinstance(answer, tuple) else (200, completion(number, asked["model"], answer))
            written = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()
