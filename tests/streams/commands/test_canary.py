"""The canary commands: what they publish, and what the status says of what the store holds."""

import numpy as np
import pytest
from typer.testing import CliRunner

from schemas.changes import Change
from schemas.evaluations import EvaluationRun
from schemas.topics import CHANGES
from schemas.wire import encode
from streams.commands.main import app
from streams.events.decode import Decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.incidents.requests.gate import Gate
from streams.local.broker import free_port
from streams.policy.controls import CanaryGate
from tests.faults.log import decoded
from tests.streams.events.test_decode import Record
from tests.streams.incidents.requests.test_gate import POLICY, comparison, started, taken


def store(client, records):
    """Store records of one kind as history would."""
    kind, origin = type(records[0]), Origin(type(records[0]).__name__, "id", 0, np.arange(len(records)))
    decoded = Decoder(kind)([Record(encode(record)) for record in records])
    assert not decoded.refused
    HistoryWriter(client).write(origin, rows_of(decoded.kinds[kind], origin))


@pytest.fixture
def ask(client, store_settings, monkeypatch):
    """Return what `canary status` prints, on one wide line a row."""
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", store_settings.clickhouse_database)
    monkeypatch.setenv("WATCHKEEPER_SQL_PORT", str(free_port()))
    monkeypatch.setenv("COLUMNS", "250")

    def status(*arguments):
        given = ["canary", "status", "--clickhouse", store_settings.clickhouse, *arguments]
        done = CliRunner().invoke(app, given)
        assert done.exit_code == 0, done.exception
        return done.output

    return status


def test_status_shows_both_sides_with_intervals_and_the_decision(client, ask):
    """An empty store has no canaries; then each is shown with what is known, and what was asked of whom."""
    assert "chat" not in ask()
    better = comparison(2, "refusal", "not worse", trials=700, flagged=7)
    comparisons = [comparison(1), better, comparison(3, verdict="worse", flagged=19)]
    [decision] = taken(Gate(POLICY), started(), *comparisons)
    running = started(service="search", candidate="m9", number=2)
    store(client, comparisons)
    stopped = [
        started(candidate="m3", number=3),
        started(candidate="m3", number=4, action="aborted", time_unix_nano=running.time_unix_nano + 1),
    ]
    store(client, [started(), decision.change, running, *stopped])
    store(client, [decision.control])
    lines = ask().splitlines()
    [leak] = [line for line in lines if "leak " in line]
    assert "worse" in leak
    assert "3.8% (" in leak
    assert "19 of 500" in leak
    assert "90 of 9000" in leak
    assert "fail: worse than stable in leak; asked to rollback" in leak
    assert any("m3" in line and "stopped" in line for line in lines)
    assert any("m9" in line and "nothing known yet" in line and "running since 2026-02-02" in line for line in lines)
    assert "chat" not in ask("--service", "search")


def test_start_and_stop_are_changes_that_the_gate_understands(kafka_settings, monkeypatch):
    """What the commands publish begins a canary with its own limits, and ends it."""
    monkeypatch.setenv("WATCHKEEPER_TOPIC_PREFIX", kafka_settings.topic_prefix)
    given = ["chat", "--candidate", "m2", "--kafka", kafka_settings.kafka]
    limits = ["--stable", "m1", "--min-exposure", "300", "--max-regret", "4", "--owner", "ann"]
    assert CliRunner().invoke(app, ["canary", "start", *given, *limits]).exit_code == 0
    assert CliRunner().invoke(app, ["canary", "stop", *given, "--reason", "too late"]).exit_code == 0
    start, stop = decoded(kafka_settings, CHANGES, Change)
    assert (start.initiator_id, start.from_version, start.to_version) == ("ann", "m1", "m2")
    assert start.change_id == stop.change_id
    policy = CanaryGate(metrics=["leak"])
    assert len(taken(Gate(policy), start, comparison(1, flagged=10))) == 1
    good = comparison(1, verdict="not worse", trials=300, flagged=3)
    assert [each.control.control for each in taken(Gate(policy), start, good)] == ["promote"]
    assert not taken(Gate(policy), start, stop, good)


def test_status_shows_what_was_evaluated_beside(client, ask, monkeypatch, tmp_path):
    """Newest runs stand below by hazard, with failures and interval, then what a running canary lacks of them."""
    run = {
        "source": "evaluation/garak",
        "service_name": "chat",
        "model_version": "m7",
        "suite": "garak dan",
        "items": 200,
    }
    runs = [
        EvaluationRun(**run, event_id=name, time_unix_nano=1_770_000_000_000_000_000, test_name=name, failed=failed,
                      category="sec.jailbreak")
        for name, failed in (("dan.A", 2), ("dan.B", 4))
    ]  # fmt: skip
    store(client, runs)
    store(client, [started(candidate="m7", number=7)])
    policy = tmp_path / "policy.yaml"
    policy.write_text("canary_gate: {evaluations: [{suite: garak dan, within_days: 9999, at_most: 0.02}]}")
    monkeypatch.setenv("WATCHKEEPER_POLICY", str(policy))
    lacks = "m7 of chat waits for an evaluation: garak dan may fail 3.2% on m7, at most 2.0% is asked for"
    assert lacks in ask()
    assert any("m7" in line and "sec.jailbreak" in line and "1.5% (" in line and "6 of 400" in line
               for line in ask().splitlines())  # fmt: skip
