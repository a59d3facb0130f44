"""The whole way on a Grafana: deployed, compared, every query asked, and a notice that arrives and ends.

Name one of your own in WATCHKEEPER_GRAFANA_URL and WATCHKEEPER_GRAFANA_TOKEN, and the store as it reaches it in
WATCHKEEPER_GRAFANA_CLICKHOUSE; a Grafana in a container reaches the test's receiver at the address that
WATCHKEEPER_TEST_HOST names. The same is run on the tests' own Grafana, which proves our side alone.
"""

import json
import os
import queue
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dashboards.grafana.deploy import deploy, differences, wanted
from dashboards.grafana.server import Server
from dashboards.grafana.shapes import Source
from dashboards.grafana.verify import verify
from streams.commands.grafana import contact_values, source
from streams.settings import load
from tests.support.dashboards.deploying import FILES, SOURCE, VALUES
from tests.support.dashboards.grafana_server import TOKEN
from tests.support.dashboards.grafana_store import asking

pytestmark = pytest.mark.store

NOTICE_SECONDS = 180
NEEDED = ("WATCHKEEPER_GRAFANA_URL", "WATCHKEEPER_GRAFANA_TOKEN")


@dataclass
class There:
    """A Grafana, and what is said to it about its surroundings."""

    server: Server
    source: Source
    values: dict

    def deploy(self, files):
        """Deploy, and return the lines."""
        return list(deploy(self.server, wanted(files, self.source, self.values)))


@pytest.fixture
def notices():
    """A receiver of webhooks: its address, and what it was told."""
    told = queue.Queue()

    class Receiver(BaseHTTPRequestHandler):
        """Remembers what it is told."""

        def do_POST(self):
            """Take one notice."""
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    host = os.environ.get("WATCHKEEPER_TEST_HOST", "")
    server = ThreadingHTTPServer(("" if host else "127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://{host or '127.0.0.1'}:{server.server_port}/", told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["own", "of the tests"])
def there(request, notices):
    """Each of the two."""
    if request.param == "own":
        if missing := [name for name in NEEDED if not os.environ.get(name)]:
            pytest.skip(f"no Grafana of your own is named: set {' and '.join(missing)}")
        settings = load()
        nobody = {"WATCHKEEPER_ALERT_WEBHOOK_URL": notices[0], "WATCHKEEPER_API_TOKEN": "none"}
        values = contact_values(settings)
        server = Server(settings.grafana_url, settings.grafana_token.get_secret_value())
        return There(server, source(settings), dict(values if any(values.values()) else nobody))
    grafana = request.getfixturevalue("grafana")
    grafana.ask = asking(request.getfixturevalue("client"))
    return There(Server(grafana.url, TOKEN), SOURCE, VALUES)


def with_a_test_rule(address, expression):
    """Return the files with one more rule, of one constant expression, and a way to the receiver for it."""
    labels = {"source": "watchkeeper", "purpose": "test"}
    model = {"refId": "A", "type": "math", "expression": expression}
    step = {"refId": "A", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 0, "to": 0}, "model": model}
    rule = {
        "uid": "watchkeeper-test", "title": "Test of the way of a notice", "condition": "A", "data": [step],
        "noDataState": "OK", "execErrState": "OK", "for": "0s", "keepFiringFor": "0s", "labels": labels,
        "annotations": {"summary": "This is a test."}, "isPaused": False,
    }  # fmt: skip
    settings = {"url": address, "httpMethod": "POST"}
    settings |= {"authorization_scheme": "Bearer", "authorization_credentials": "none"}
    receiver = {"uid": "watchkeeper-test", "type": "webhook", "settings": settings}
    matchers = [[name, "=", value] for name, value in labels.items()]
    route = {"receiver": "watchkeeper-test", "object_matchers": matchers, "group_by": ["alertname"]}
    route |= {"group_wait": "0s", "group_interval": "10s", "repeat_interval": "1h"}
    return replace(
        FILES,
        groups=[*FILES.groups, {"orgId": 1, "name": "watchkeeper-test", "interval": "10s", "rules": [rule]}],
        points=[*FILES.points, {"orgId": 1, "name": "watchkeeper-test", "receivers": [receiver]}],
        routes=[route, *FILES.routes],
    )


def test_deployed_compared_and_every_query_answered(there):
    """After one run nothing differs, a second changes nothing, and nothing is wrong with any query or rule."""
    there.deploy(FILES)
    assert there.deploy(FILES) == []
    assert differences(there.server, wanted(FILES, there.source, there.values)) == []
    assert verify(there.server, FILES, datetime.now(UTC)).wrong == []


def test_a_notice_arrives_and_so_does_its_end(there, notices):
    """A rule that is true tells the receiver, and tells it again when it is not; then nothing of it is left."""
    address, told = notices
    try:
        for expression, status in (("1 == 1", "firing"), ("1 == 0", "resolved")):
            there.deploy(with_a_test_rule(address, expression))
            notice = told.get(timeout=NOTICE_SECONDS)
            assert notice["status"] == status
            assert notice["alerts"][0]["labels"]["purpose"] == "test"
    finally:
        lines = there.deploy(FILES)
    assert {"removed rule watchkeeper-test", "removed contact point watchkeeper-test"} <= set(lines)
    assert differences(there.server, wanted(FILES, there.source, there.values)) == []
