"""What tests of deploying share: what is wanted, and a run against a Grafana."""

from dashboards.grafana.deploy import deploy, differences, read_files, wanted
from dashboards.grafana.server import Server
from dashboards.grafana.shapes import Source
from tests.support.dashboards.grafana_server import TOKEN

FILES = read_files()
SOURCE = Source(host="ch", port=8123, secure=False, user="reader", password="hush-1", database="watchkeeper")  # noqa: S106
VALUES = {
    "WATCHKEEPER_ALERT_WEBHOOK_URL": "http://api:8130/alerts",
    "WATCHKEEPER_API_TOKEN": "hush-2",
    "WATCHKEEPER_ALERT_PAGERDUTY_KEY": "hush-3",
    "WATCHKEEPER_ALERT_SLACK_URL": "https://hooks.example/hush-4",
    "WATCHKEEPER_ALERT_EMAIL": "a@example.org",
}
ITEMS = wanted(FILES, SOURCE, VALUES)


def run(grafana, items=ITEMS, **more):
    """Deploy, and return the lines."""
    return list(deploy(Server(grafana.url, TOKEN), items, **more))


def diffs(grafana, items=ITEMS):
    """Return what would be changed."""
    return differences(Server(grafana.url, TOKEN), items)
