"""What arrives and who changed what: the rows of `status`, `doctor` and `canary status`, and who did what."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.console import NOW, held, minutes, seed, signed_in
from tests.support.histories import fill
from tests.support.incidents.entries import NANO, at

pytestmark = pytest.mark.store


def placed(table_rows, second=90):
    """Return rows with what every record of a topic has."""
    when = datetime.fromtimestamp(at(second) / NANO, UTC)
    return [{"event_id": f"e{n}", "source": "s", "service_name": "shop", "time": when, "kafka_offset": n} | row
            for n, row in enumerate(table_rows)]  # fmt: skip


def insert(client, table, rows):
    """Store rows, given as dicts."""
    columns = sorted({column for row in rows for column in row})
    client.insert(table, [[row.get(column) for column in columns] for row in rows], column_names=columns)


async def test_changes_canaries_controls_policies_and_deeds_stand_on_one_page(client, settings):
    """Controls in force come first, canaries have both intervals, and every deed has who, what and why."""
    fill(client, service_minutes=[minutes("shop")], service_policies=[
        {"service_name": "shop", "tier": "critical", "owner": "team <a>", "runbook": "r", "required_guards": ["pii"],
         "published_at": NOW - timedelta(days=1)}],
        findings=[{"finding_id": "c", "kind": "canary", "severity": "info", "service_name": "shop", "metric": "leak",
                   "model_version": "v2", "verdict": "worse", "sample_size": 400, "flagged": 12, "detected_time": NOW,
                   "details": {"stable_trials": 1000.0, "stable_flagged": 3.0}}])  # fmt: skip
    change = {"change_id": "k", "subject_type": "model", "subject_name": "m", "to_version": "v2", "gate_name": "canary",
              "action": "started", "initiator_id": "dana", "reason": "<b>faster"}  # fmt: skip
    insert(client, "changes", placed([change]))
    until = NOW + timedelta(hours=1)
    asked = {"actor_kind": "human", "actor_id": "kim"}
    insert(client, "controls", placed([
        {"control": "pause", "reason": "wait", **asked, "service_name": "mail",
         "expires_at": NOW - timedelta(minutes=1)},
        {"control": "kill_switch", "reason": "leaks", **asked, "expires_at": until},
    ]))  # fmt: skip
    given = {"action": "assign", **asked, "incident_id": "inc-p", "assignee_id": "ann", "reason": ""}
    insert(client, "incident_actions", placed([given]))
    browser = await signed_in(held(settings))
    text = (await browser.get("/console/changes")).text
    assert "1 control is in force" in text
    assert re.findall(r"<b>(kill switch|pause)</b> of (\w+)", text) == [("kill switch", "shop"), ("pause", "mail")]
    for said in ("3.0% (0.9% to 7.0%), 12 of 400", "0.3% (", "team &lt;a&gt;", "&lt;b&gt;faster", " to ann", "dana"):
        assert said in text, said
    other = (await browser.get("/console/changes?service=mail")).text
    assert "<b>kill switch</b>" not in other
    away = await signed_in(held(settings.model_copy(update={"sql_port": 1})))
    assert "What changed is not known" in (await away.get("/console/changes")).text


async def test_a_kill_switch_is_in_force_until_its_end_or_a_resume(client, settings):
    """A pause, or a kill switch that ends sooner, comes after it and does not lift it; a resume does."""
    asked = {"actor_kind": "human", "actor_id": "kim", "reason": "r"}
    said = [("shop", "kill_switch", 0, None), ("shop", "kill_switch", 1, 2), ("shop", "pause", 3, None),
            ("mail", "kill_switch", 0, None), ("mail", "resume", 1, None)]  # fmt: skip
    insert(client, "controls", placed([
        {**asked, "service_name": service, "control": kind, "time": NOW - timedelta(minutes=9 - second),
         "expires_at": None if ends is None else NOW - timedelta(minutes=9 - ends)}
        for service, kind, second, ends in said]))  # fmt: skip
    text = (await (await signed_in(held(settings))).get("/console/changes")).text
    assert "2 controls are in force" in text
    rows = re.findall(r"<tr><td>(.*?)</td>.*?<b>([\w ]+)</b> of (\w+)", text, re.DOTALL)
    assert [(what, service) for state, what, service in rows if "In force" in state] == [
        ("pause", "shop"), ("kill switch", "shop"),
    ]  # fmt: skip


async def test_telemetry_says_what_arrives_and_what_is_refused(client, settings):
    """Each source with its newest event, what was refused and why, codes nobody knows; away is not fine."""
    seed(client, "shop/<b>")
    insert(client, "dead_letters", [
        {"time": NOW - timedelta(minutes=n), "origin_topic": "inference.v1", "origin_offset": n, "reason": "not_json",
         "detail": "<i>here", "value": '{"service_name": "mail"'} for n in range(1, 4)])  # fmt: skip
    verdict = {"guard_name": "g", "event_kind": "inference", "findings_category": ["weird<code>"]}
    insert(client, "guard_verdicts", [row | {"time": NOW - timedelta(minutes=1)} for row in placed([verdict])])
    text = (await (await signed_in(held(settings))).get("/console/telemetry")).text
    assert "shop/&lt;b&gt;" in text
    assert re.search(r"not json.*?&lt;i&gt;here.*?<td class=\"num\">3</td>", text, re.DOTALL)
    assert "weird&lt;code&gt;" in text
    away = await signed_in(held(settings.model_copy(update={"sql_port": 1})))
    gone = (await away.get("/console/telemetry")).text
    assert "Nothing is known of what arrives" in gone
    assert "Nothing looks wrong" not in gone
