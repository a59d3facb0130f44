"""The recorded leak, from its events to the end of its alerts, with nothing left out.

The events of one service go through a real broker and all workers as processes; a real Prometheus scrapes them and
evaluates the generated rules, a real Alertmanager routes by the generated configuration and tells the API of the
incidents worker. Waiting is cut short (`tests.real.alerting.config`) and receivers outside of this machine are left
out.

Two times run here. The stream's is that of a week in March: the incident's onset, detection, acknowledgement and
recovery, and when in that time a notice came. The clock's is today: an alert's start and end, and when a notice or an
acknowledgement was written down. Either kind is compared with its like. Between them there is order, and one bridge:
the age that Prometheus saw, in the stream's time, at the clock's time at which it looked.

Not proven: Grafana's own notifier (it sends the same fields, but makes one attempt only), mail, Slack and PagerDuty.
"""

import json
from datetime import datetime
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest

from dashboards.rules import WATCHDOG
from streams.api.client import call
from streams.replay.send import AFTER_THE_END_NANO, Replay, read
from streams.store.ask import ask_rows
from tests.real.alerting.config import LOOKS_EVERY
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

RECORDED = resources.files("streams.demo.recorded")
LEAK = next(each for each in json.loads((RECORDED / "answers.json").read_text()) if each["id"] == "DEV-C3")
SPEED = 60_000.0
"""The week in ten seconds."""

UNANSWERED, LEAKED, STORE = "watchkeeper_not_acknowledged", "watchkeeper_leak_incidents", "watchkeeper_store"

ACTIONS_QUERY = """
SELECT incident_id, happened_at_unix_nano / 1e9 AS at, toUnixTimestamp64Nano(time) / 1e9 AS written,
    alert_fingerprint, toUnixTimestamp64Milli(alert_starts_at) AS starts, labels['alert_status'] AS status,
    labels['alert_ends_at'] AS ends
FROM incident_actions WHERE action = {action:String} ORDER BY time
"""
STEPS_QUERY = """
SELECT transition, toUnixTimestamp64Nano(transition_time) / 1e9 AS at, toUnixTimestamp64Nano(onset_time) / 1e9 AS onset
FROM incident_transitions FINAL WHERE incident_id = {incident:String} ORDER BY at
"""


def seconds(text):
    """Return a time as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


def ms(text):
    """Return a time in Unix milliseconds, the precision of Alertmanager."""
    return round(seconds(text) * 1_000)


def cut(events, after):
    """Return events before and after the first silence from a time on in which a replay can end."""
    for place, (one, other) in enumerate(pairwise(events), start=1):
        silence = other.time_unix_nano - one.time_unix_nano
        if one.time_unix_nano > after * 1e9 and silence > AFTER_THE_END_NANO:
            return events[:place], events[place:]
    raise AssertionError


@pytest.fixture(scope="module")
def events():
    """What the leaking service sent from the day before the leak until that is a day past, and no KPI looks at it."""
    since, until = ((seconds(LEAK[side]) + hours * 3_600) * 1e9 for side, hours in (("start", -36), ("end", 24)))
    with resources.as_file(RECORDED / "week.jsonl.gz") as path:
        mine = [each for each in read([Path(path)]) if each.service_name == LEAK["service"]]
    return [each for each in mine if since <= each.time_unix_nano < until]


def said(listener, name, status):
    """Return what Alertmanager said of a rule."""
    return [each for each in listener.told.values() if (each["labels"]["alertname"], each["status"]) == (name, status)]


def episodes(listener):
    """Return fingerprint, start and status of all that Alertmanager said."""
    return [(fingerprint, ms(start), status) for fingerprint, start, status in listener.told]


def fires(alertmanager):
    """Return what Alertmanager's own API says of all that fires and is told, as `episodes` does."""
    told = [each for each in alertmanager.alerts() if each["labels"]["severity"] != WATCHDOG]
    return [(each["fingerprint"], ms(each["startsAt"]), "firing") for each in told]


def actions(settings, action):
    """Return what ClickHouse holds of a kind of action, repeats included."""
    return ask_rows(settings, ACTIONS_QUERY, {"action": action})


def stored(settings, incident):
    """Return the steps of an incident that ClickHouse holds."""
    return ask_rows(settings, STEPS_QUERY, {"incident": incident["incident_id"]})


def noticed(settings):
    """Return the notices in ClickHouse as `episodes` does."""
    return [(row["alert_fingerprint"], int(row["starts"]), row["status"]) for row in actions(settings, "notify")]


def test_the_leak_is_found_told_acknowledged_and_proven_over(installation, prometheus, alertmanager, listener, events):
    """Rules fire on the leak and its incident is told; it is acknowledged and recovers, alerts end, and it is told."""
    settings = installation.settings
    wait_until(lambda: said(listener, STORE, "firing"))  # nothing is stored yet, and there is no incident to tell
    during, after = cut(events, seconds(LEAK["end"]) - 900)
    Replay(settings, SPEED).run(during)
    wait_until(lambda: said(listener, UNANSWERED, "firing") and said(listener, LEAKED, "firing"))
    wait_until(lambda: set(fires(alertmanager)) <= set(episodes(listener)))  # which may fire for the second time
    [incident] = call(settings, "GET", "/incidents")["incidents"]
    name = incident["incident_id"]
    leaked = said(listener, LEAKED, "firing")[0]
    age = prometheus.value(f'watchkeeper_incident_open_seconds{{incident_id="{name}"}}', leaked["startsAt"])
    call(settings, "POST", f"/incidents/{name}/acknowledge", json={"actor": "kim"})
    wait_until(lambda: said(listener, UNANSWERED, "resolved"))
    assert not said(listener, LEAKED, "resolved")
    Replay(settings, SPEED).run(after)
    wait_until(lambda: said(listener, LEAKED, "resolved"))
    prometheus.stop()
    wait_until(lambda: sorted(noticed(settings)) == sorted(episodes(listener)))
    _check_alerts(settings, listener, name)
    _check_clocks(settings, call(settings, "GET", f"/incidents/{name}"))
    _check_age(settings, leaked, seconds(incident["detected"]), age)


def _check_alerts(settings, listener, name):
    """Starts and ends in ClickHouse are those of its notices to the millisecond, and no notice is older than either."""
    rows = dict(zip(noticed(settings), actions(settings, "notify"), strict=True))
    assert {each["labels"]["alertname"] for each in listener.told.values()} >= {UNANSWERED, LEAKED, STORE}
    for (fingerprint, start, status), alert in listener.told.items():
        row, labels = rows[fingerprint, ms(start), status], alert["labels"]
        assert row["written"] >= seconds(start)
        about = labels.get("family") == "leak" or labels.get("incident_id") == name
        assert (row["incident_id"] == name) == about
        if status == "resolved":
            assert ms(row["ends"]) == ms(alert["endsAt"])
            assert row["written"] >= seconds(alert["endsAt"]) > seconds(start)
        else:
            assert row["ends"] == ""


def _check_clocks(settings, incident):
    """The steps in ClickHouse are the incident's clocks; they and the notices happened in an order that can be."""
    told = [row for row in actions(settings, "notify") if row["incident_id"] == incident["incident_id"]]
    wait_until(lambda: [row["transition"] for row in stored(settings, incident)].count("notified") >= len(told))
    steps = stored(settings, incident)
    at = {row["transition"]: row["at"] for row in reversed(steps)}
    assert at["detected"] == pytest.approx(seconds(incident["detected"]), abs=1e-3)
    for state in ("acknowledged", "recovered"):
        assert at[state] - at["detected"] == pytest.approx(incident["seconds_to"][state], abs=1e-3)
    start, end = seconds(LEAK["start"]), seconds(LEAK["end"])
    assert start <= steps[0]["onset"] <= at["detected"] <= at["acknowledged"] <= end < at["recovered"]
    [answered] = actions(settings, "acknowledge")
    for row in told:
        assert (row["written"] < answered["written"]) == (row["at"] < answered["at"]) == (row["status"] == "firing")
    notified = [row["at"] for row in steps if row["transition"] == "notified"]
    assert notified == pytest.approx([row["at"] for row in told], abs=1e-3)


def _check_age(settings, alert, detected, age):
    """When the alert began, Prometheus saw the age that the notice's two times give, but for one look."""
    rows = dict(zip(noticed(settings), actions(settings, "notify"), strict=True))
    row = rows[alert["fingerprint"], ms(alert["startsAt"]), "firing"]
    then = row["at"] - (row["written"] - seconds(alert["startsAt"]))
    assert then - detected == pytest.approx(age, abs=2 * LOOKS_EVERY)
