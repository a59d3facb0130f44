"""How all parts of an installation are, at one address: `/health`, `/ready` and `/metrics` of `watchkeeper up`."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from typing import Any, Final

from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from requests.structures import CaseInsensitiveDict

from streams.access.callers import Callers
from streams.health.problems import PROBLEMS
from streams.local.child import Child, State
from streams.settings import Settings
from streams.tls.doors import door

UP: Final = Gauge("watchkeeper_part_up", "1 where a part of this installation runs and does its work", ["part"])

Body = dict[str, Any]


def part(child: Child) -> Body:
    """Return how one child is, in words."""
    return {
        "state": child.state.value,
        "seconds": round(time.monotonic() - child.since),
        "reason": child.reason,
        "pid": child.process.pid if child.process is not None else None,
        "problems": list(child.problems()),
    }


def report(children: Iterable[Child]) -> Body:
    """Return how all of them are, and what is wrong."""
    parts = {child.name: part(child) for child in children}
    problems = list(PROBLEMS.current().values())
    for name, body in parts.items():
        if body["state"] != State.RUNNING:
            problems.append(f"{name} is {body['state']}" + (f": {body['reason']}" if body["reason"] else ""))
        problems += [f"{name}: {problem}" for problem in body["problems"]]
        UP.labels(name).set(body["state"] == State.RUNNING and not body["problems"])
    return {"healthy": not problems, "problems": problems, "parts": parts}


class Page:
    """Serves the report; `children` gives what it is about.

    Raises
    ------
    OSError
        Where the port is taken.
    SettingsError
        Where a certificate can't be used.
    """

    def __init__(self, settings: Settings, port: int, children: Callable[[], Iterable[Child]]) -> None:
        tls = door(settings, "health")
        self._server: Final = _Server(settings.host, port, _handler(Callers(settings), children))
        if tls is not None:  # a handshake in the thread of its connection, or one client could hold up all
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: Final = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="page", daemon=True).start()

    def stop(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), handler)

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that go away, or speak something else; all else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*_)


def _handler(callers: Callers, children: Callable[[], Iterable[Child]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if why := callers.refusal("GET", CaseInsensitiveDict(self.headers.items())):
                self._answer(why.status, f"{why.text}\n".encode(), "text/plain")
                return
            body = report(children())
            if self.path == "/metrics":
                self._answer(200, generate_latest(), CONTENT_TYPE_LATEST.split(";")[0])
            elif self.path in {"/health", "/ready"}:
                self._answer(200 if body["healthy"] else 503, json.dumps(body).encode(), "application/json")
            else:
                self._answer(404, b"there are /health, /ready and /metrics\n", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    return Handler
