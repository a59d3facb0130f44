"""Deploying to a Grafana: what is written, what is left alone, and what becomes of a run that breaks off."""

import copy
import json

import pytest

from dashboards.grafana.deploy import deploy, differences, read_files, wanted
from dashboards.grafana.server import GrafanaError, GrafanaUnavailableError, Server
from dashboards.grafana.shapes import ALERTS_FOLDER, BOARDS_FOLDER, Source
from tests.dashboards.grafana_server import TOKEN, FakeGrafana, serving

pytestmark = pytest.mark.enable_socket

FILES = read_files()
SOURCE = Source(host="ch", port=8123, secure=False, user="reader", password="pw", database="watchkeeper")  # noqa: S106
VALUES = {
    "WATCHKEEPER_ALERT_WEBHOOK_URL": "http://api:8130/alerts",
    "WATCHKEEPER_API_TOKEN": "tok",
    "WATCHKEEPER_ALERT_PAGERDUTY_KEY": "key",
    "WATCHKEEPER_ALERT_SLACK_URL": "https://hooks.example/1",
    "WATCHKEEPER_ALERT_EMAIL": "a@example.org",
}
ITEMS = wanted(FILES, SOURCE, VALUES)


@pytest.fixture
def grafana():
    """A Grafana that others use, with its address in `url`."""
    made = FakeGrafana()
    with serving(made) as made.url:
        yield made


def run(grafana, items=ITEMS, **more):
    """Deploy, and return the lines."""
    return list(deploy(Server(grafana.url, TOKEN), items, **more))


def test_everything_is_there_and_a_second_run_writes_nothing(grafana):
    """The first run makes each object, the second finds no difference, and diff has nothing to show."""
    lines = run(grafana)
    assert len(lines) == len(ITEMS)
    assert set(grafana.boards) == {board["uid"] for board in FILES.boards}
    assert {board["meta"]["folderUid"] for board in grafana.boards.values()} == {BOARDS_FOLDER}
    assert set(grafana.rules) == {rule["uid"] for group in FILES.groups for rule in group["rules"]}
    grafana.calls.clear()
    assert run(grafana) == []
    assert grafana.writes == []
    assert differences(Server(grafana.url, TOKEN), ITEMS) == []
