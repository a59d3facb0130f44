"""``watchkeeper doctor``: each fault is named with what to do, and who is well is left alone."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from streams.commands.main import app
from streams.events.decode import events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.intake.doctor import complaints, look_at_events, look_at_store
from tests.streams.events.test_decode import Record
from tests.streams.intake.doctor import sick
from tests.support.authority import DAY, Authority


def checks(events):
    return {complaint.check for complaint in complaints(look_at_events(events))}


def test_who_is_well_hears_nothing():
    """Ordinary telemetry with a few findings, several sessions and cached tokens is no complaint."""
    assert checks(sick.events("well")) == set()


@pytest.mark.parametrize("name", sick.SICK)
def test_each_fault_is_found(name):
    """The check that is for it complains, with numbers and an advice."""
    found = [one for one in complaints(look_at_events(sick.events(name))) if one.check == name]
    assert found
    assert all(one.service == name and one.advice for one in found)
    assert all(any(letter.isdigit() for letter in one.evidence) for one in found)


def test_a_field_that_is_missing_is_named():
    """Model, outcome, duration and session, each with what to send."""
    said = " ".join(map(str, complaints(look_at_events(sick.events("fields")))))
    for name in ("response_model", "send outcome", "duration_ms", "session_id"):
        assert name in said


def test_verdicts_about_nothing_are_orphans_and_others_are_not():
    """Who names the event, or its trace, meets it."""
    calls = sick.events("well")
    good = [sick.verdict(n, target_event_id=f"well{n}") for n in range(10)]
    by_trace = [sick.verdict(n, target_event_id=None, trace_id=f"t{n}") for n in range(10, 20)]
    assert checks(calls + good + by_trace) == set()
    assert checks(calls + good + [sick.verdict(n, target_event_id="gone") for n in range(10, 20)]) == {"orphans"}


def test_embeddings_are_fast_and_unjudged_by_nature():
    """Calls that make no answer are asked neither for long durations nor for verdicts."""
    fast = [call | {"operation_name": "embeddings", "duration_ms": 4.0, "guards": []} for call in sick.events("well")]
    assert checks(fast) == set()


def test_losses_that_an_emitter_tells_are_told():
    """Events that never came are counted by those that should have sent them."""
    lost = {
        "event_type": "ai.safety.telemetry.v1", "event_id": "t", "source": "s", "time_unix_nano": 1,
        "service_name": "well", "dropped": 7, "reason": "queue_full",
    }  # fmt: skip
    [complaint] = complaints(look_at_events([*sick.events("well"), lost]))
    assert (complaint.check, "queue_full" in complaint.evidence) == ("losses", True)


def write(client, events):
    """Store events as the history worker does."""
    records = [Record(json.dumps(event).encode(), timestamp=2_000_000_000_000) for event in events]
    origin = Origin("inference.v1", "id", 0, np.arange(len(records)))
    decoded = events_decoder()(records)
    assert not decoded.refused
    HistoryWriter(client).write(
        origin, [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]
    )


@pytest.mark.store
def test_the_store_gives_the_same_complaints_as_the_events(client, store_settings):
    """What a file shows, the stored rows of the same events show too, service by service."""
    names = ["well", *sick.SICK]
    events = [event for name in names for event in sick.events(name)]
    events += [sick.verdict(n, service_name="well", target_event_id="gone") for n in range(10)]
    write(client, events)
    stored = {(one.check, one.service, one.evidence) for one in complaints(look_at_store(store_settings))}
    assert stored == {(one.check, one.service, one.evidence) for one in complaints(look_at_events(events))}


@pytest.mark.store
def test_clocks_are_held_against_ours(client, store_settings):
    """Who is silent for long, and who is ahead, is named; an hour ago is not looked at."""
    now = sick.time.time_ns()
    quiet = [event | {"service_name": "quiet"} for event in sick.events("well", now - 1_800 * 10**9)]
    ahead = [event | {"service_name": "ahead"} for event in sick.events("well", now + 300 * 10**9)]
    old = [event | {"service_name": "old"} for event in sick.events("well", now - 7_200 * 10**9)]
    write(client, quiet + ahead + old)
    found = {one.service: one.evidence for one in complaints(look_at_store(store_settings)) if one.check == "clocks"}
    assert set(found) == {"quiet", "ahead"}
    assert "future" in found["ahead"]


@pytest.mark.store
def test_the_command_ends_with_one_where_something_is_wrong(client, store_settings, monkeypatch):
    """Nothing to look at is wrong too; who is well gets 0 and a sentence."""
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", store_settings.clickhouse_database)
    where = ["--clickhouse", store_settings.clickhouse]
    empty = CliRunner().invoke(app, ["doctor", *where])
    assert (empty.exit_code, "is anything sent" in empty.output) == (1, True)
    write(client, sick.events("well"))
    well = CliRunner().invoke(app, ["doctor", *where])
    assert (well.exit_code, "nothing looks wrong" in well.output) == (0, True), well.output


def test_files_are_looked_at_without_a_store(tmp_path):
    """Complaints about a file of events, one JSON object a line, status 1."""
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(event) for event in sick.events("sessions")))
    done = CliRunner().invoke(app, ["doctor", str(path), "--json"])
    assert done.exit_code == 1
    assert [json.loads(line)["check"] for line in done.stdout.splitlines()] == ["sessions"]


def test_a_certificate_that_ends_soon_is_a_complaint(tmp_path):
    """It is said beside what is wrong with telemetry, also over files that are well."""
    authority, events = Authority(tmp_path), tmp_path / "events.jsonl"
    events.write_text("\n".join(map(json.dumps, sick.events("well"))))
    said = []
    for name, ends in (("near", 5.2 * DAY), ("far", 90 * DAY)):
        certificate, key = authority.signed(name, ends=ends)
        environment = {"WATCHKEEPER_TLS_CERT": str(certificate), "WATCHKEEPER_TLS_KEY": str(key)}
        said.append(CliRunner().invoke(app, ["doctor", str(events)], env=environment))
    assert [each.exit_code for each in said] == [1, 0]
    assert "near.pem is over in 5 days; renew it" in said[0].stdout
    assert "far.pem" not in said[1].stdout
