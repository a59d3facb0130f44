"""A real HTTP server on loopback that keeps what is posted to it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hook:
    """Who is told: `said` has what came, in order, as path, headers and body."""

    def __init__(self):
        said = self.said = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                """Keep it."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                said.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def bodies(self):
        """Return the bodies of what came."""
        return [body for _, _, body in self.said]

    def stop(self):
        """Hear no more."""
        self._server.shutdown()
        self._server.server_close()
