"""``watchkeeper status``: what arrives, what was refused and what nobody knows, from the views of the store."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from schemas.categories import FAMILIES
from streams.commands.main import app
from tests.support.dashboards.history import put
from tests.support.histories import judge

NOW = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
PERIOD = ("--since", "2026-03-02T00:00", "--until", "2026-03-02T13:00")


def at(minutes):
    return NOW - timedelta(minutes=minutes)


def verdict(number, *categories, minutes=10, **more):
    """Return a row of a guard's verdict."""
    return {"time": at(minutes), "service_name": "shop", "source": "shop/web", "event_id": f"v{number}",
            "event_kind": "inference", "guard_name": "llama", "layer": "output", "status": "ok", "verdict": "flag",
            "findings_category": list(categories), "kafka_offset": number} | more  # fmt: skip


@pytest.fixture
def filled(client, store_settings):
    """A store with a service that is well, one that is quiet, unknown codes and words, letters and orphans."""
    hours = {"hour": NOW.replace(minute=0), "events": 50, "calls": 50, "kafka_topic_id": "t", "version": 1}
    put(client, "service_hours", *(hours | {"service_name": name, "hour": hours["hour"] - timedelta(hours=back)}
                                   for name, back in (("shop", 0), ("quiet", 30))))  # fmt: skip
    put(client, "service_minutes", {"minute": at(5), "service_name": "shop", "events": 50, "calls": 50, "version": 1})
    lone = verdict(5, event_kind="guard_verdict")
    put(client, "guard_verdicts", verdict(1, "S10", "content.hte"), verdict(2, "S10", minutes=20), lone)
    put(client, "guard_verdicts", verdict(3, verdict="deny"))
    put(client, "guard_verdicts", verdict(4, "S99", probe_id="p"))
    put(client, "category_minutes", {"minute": at(60 * 24 * 9), "service_name": "shop", "category": "S10",
                                     "layer": "output", "findings": 1, "version": 1})  # fmt: skip
    put(client, "inferences", {"time": at(10), "service_name": "shop", "source": "shop/web", "event_id": "e",
                               "outcome": "worked", "finish_reason_norm": "stop"})  # fmt: skip
    sent = json.dumps({"service_name": "till", "source": "till/1", "time_unix_nano": "x"})
    put(client, "dead_letters", *({"time": at(3 + number), "origin_topic": "inference.v1", "origin_offset": number,
                                   "reason": "invalid", "detail": f"wrong {number}", "value": value}
                                  for number, value in enumerate((sent, sent, "{"))))  # fmt: skip
    put(client, "telemetry", {"time": at(9), "service_name": "shop", "dropped": 4, "event_id": "t"})
    groups = [{"service_name": "shop", "orphans": 1}]
    put(client, "window_messages", {"time": at(9), "payload": json.dumps({"groups": groups})})
    judge(client)
    client.close()
    return store_settings


def run(settings, *arguments):
    done = CliRunner().invoke(app, ["status", *PERIOD, "--clickhouse", settings.clickhouse, *arguments],
                              env={"WATCHKEEPER_CLICKHOUSE_DATABASE": settings.clickhouse_database})  # fmt: skip
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.store
def test_one_screen_says_what_arrives_and_what_does_not(filled):
    """Services with their newest event, refused records by source, and each unknown code with count and since when."""
    found = json.loads(run(filled, "--json"))
    services = {row["service_name"]: row for row in found["services"]}
    shop = services["shop"]
    assert shop["last_event"] == "2026-03-02 12:25:00"
    assert [int(shop[name]) for name in ("events", "verdicts_alone", "orphans", "lost", "unknown_codes")] == [
        50, 1, 1, 4, 3,
    ]  # fmt: skip
    assert services["quiet"]["last_event"] == "2026-03-01 06:00:00"
    assert int(services["till"]["refused"]) == 2
    assert {(row["source"], int(row["records"]), row["last_detail"]) for row in found["refused"]} == {
        ("till/1", 2, "wrong 0"),
        ("", 1, "wrong 2"),
    }
    codes = {(row["field"], row["code"]): row for row in found["codes"]}
    assert set(codes) == {("finding.category", "S10"), ("guard.verdict", "deny"), ("outcome", "worked")}
    known = codes["finding.category", "S10"]
    assert (int(known["times"]), known["sources"], known["guards"]) == (2, ["shop/web"], ["llama"])
    assert known["known_since"] == "2026-02-21 12:30:00"
    screen = run(filled)
    assert all(word in screen for word in ("services", "S10", "worked", "refused records", "quiet"))


@pytest.mark.store
def test_one_service_alone(filled):
    """Nothing of others is shown, and a table without rows is left out."""
    screen = run(filled, "--service", "quiet")
    assert "quiet" in screen
    assert "S10" not in screen
    assert "refused records" not in screen


@pytest.mark.store
def test_what_the_contract_knows_is_not_unknown(client):
    """None of our own categories is among the codes, also in a store that holds all of them."""
    put(client, "guard_verdicts", verdict(1, *FAMILIES))
    asked = "SELECT count() FROM unknown_codes(since='2026-03-01 00:00:00', until='2026-03-03 00:00:00')"
    assert client.query(asked).result_rows == [(0,)]
