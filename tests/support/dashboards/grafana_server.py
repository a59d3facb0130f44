"""A small Grafana of the tests' own: the calls that deploy and verify make, with state, on loopback.

It does to what it is given what Grafana does: it adds ids, versions and defaults, writes durations its own way, sorts
matchers, drops fields that it does not know, hides secrets, and refuses what would not fit together. It can fail at
any call. It is no proof that Grafana does the same.
"""

import copy
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.support.dashboards.grafana_calls import ROUTES, RefusedError

TOKEN = "right"  # noqa: S105
KEPT = ("folders", "sources", "boards", "points", "tree", "rules", "intervals")


class FakeGrafana:
    """The state, and what is answered."""

    def __init__(self, ask=None):
        self.version, self.plugin = "12.1.0", "4.10.0"
        self.folders, self.sources, self.boards, self.points, self.rules, self.intervals = ({} for _ in range(6))
        self.tree = {"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"]}
        self.calls, self.states = [], {}
        self.fail_at, self.failure = None, ""
        self.ask, self.firing = ask, set()
        self.ids = 0

    @property
    def writes(self):
        """Return the calls that wrote."""
        return [call for call in self.calls if call[0] != "GET" and call[1] != "/ds/query"]

    def save(self):
        """Return everything that is kept."""
        return copy.deepcopy({name: getattr(self, name) for name in KEPT})

    def load(self, saved):
        """Go back to what was kept then; no calls were made, none will fail."""
        vars(self).update(copy.deepcopy(saved), calls=[], fail_at=None, failure="")

    def state(self):
        """Return everything that is kept, without the numbers that count writes."""
        kept = self.save()
        boards = [board["dashboard"] for board in kept["boards"].values()]
        for things in (kept["folders"].values(), kept["sources"].values(), kept["rules"].values(), boards):
            for thing in things:
                thing.pop("id", None)
                thing.pop("version", None)
        return kept

    def answer(self, method, url, body, token):
        """Return status and body of the answer to a call."""
        path, query = urlsplit(url).path.removeprefix("/api"), parse_qs(urlsplit(url).query, keep_blank_values=True)
        self.calls.append((method, path))
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        for pattern, handler in ROUTES.items():
            wanted, place = pattern.split(" ")
            if wanted == method and (match := re.fullmatch(place, path)):
                try:
                    return 200, handler(self, *match.groups(), body=body, query=query)
                except RefusedError as error:
                    return error.status, error.body
        return 404, {"message": f"no such call: {method} {path}"}

    def new_id(self):
        """Return a number that was not given before."""
        self.ids += 1
        return self.ids


def handler(grafana):
    """Return a request handler over the state."""

    class Handler(BaseHTTPRequestHandler):
        """Fails where it is told to, else answers."""

        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet

        def respond(self):
            """Answer one call."""
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
            failure = grafana.failure if len(grafana.calls) == grafana.fail_at else ""
            if failure == "cut before":
                grafana.calls.append((self.command, self.path))
                return self.cut()
            if failure.isdigit():
                grafana.calls.append((self.command, self.path))
                return self.say(int(failure), {"message": "told to fail"})
            if self.command == "PUT" and self.path.endswith("/policies"):
                provenance = "" if self.headers.get("X-Disable-Provenance") else "api"
                self.path += f"?provenance={provenance}"
            status, made = grafana.answer(self.command, self.path, body, self.headers.get("Authorization"))
            return self.cut() if failure == "cut after" else self.say(status, made)

        def say(self, status, made):
            """Send an answer."""
            text = json.dumps(made).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def cut(self):
            """End the connection without a word."""
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = respond  # noqa: N815

        def log_message(self, *_):
            """Say nothing."""

    return Handler


@contextmanager
def serving(grafana):
    """Serve a Grafana, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(grafana))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
