"""Known holes of packages are told by pip-audit, and what it could not look up is never told as well."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from docs.holes import look
from docs.lock import locked

pytestmark = pytest.mark.enable_socket

HOLE = {
    "id": "OSV-1",
    "modified": "2026-01-01T00:00:00Z",
    "published": "2026-01-01T00:00:00Z",
    "affected": [{"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]}],
}


@contextmanager
def database(answer):
    """Answer as the database of OSV does: what `answer` says of a package, by name."""

    class Database(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            name = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
            status, said = answer(name)
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Database)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield ["--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/query"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def affected(name):
    """Return a hole of a package, as OSV tells it."""
    package = {"package": {"name": name, "ecosystem": "PyPI"}, "versions": [locked()[name].version]}
    return HOLE | {"affected": [package | HOLE["affected"][0]]}


def test_a_hole_is_told_with_what_mends_it():
    """The database knows one of one package: it is named, every other was looked up, and the status is 1."""
    with database(lambda name: (200, {"vulns": [affected(name)]} if name == "jinja2" else {})) as there:
        assert look(there) == (1, f"jinja2 {locked()['jinja2'].version}: OSV-1, mended in 99")


def test_what_was_not_looked_up_is_no_good_news(capsys):
    """Where the database fails, or nobody answers, the status is 2 and says how many packages were not looked up."""
    with database(lambda _name: (500, {})) as there:
        assert look(there)[0] == 2
    status, text = look(there)
    assert status == 2
    assert text.startswith(f"{len(locked())} of {len(locked())} packages were not looked up")
    assert "127.0.0.1" in capsys.readouterr().err
