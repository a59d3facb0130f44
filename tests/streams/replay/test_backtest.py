"""Recorded events and stored windows through the live code: odd events, traces, cascades, and two policies."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from schemas.events import AgentStep
from schemas.wire import encode
from streams.commands.main import app
from streams.policy.policy import Policy, parse_policy
from streams.replay.backtest import BacktestError, judge_events, judge_windows, run_backtest
from streams.replay.reading import read_events
from streams.replay.show import side_by_side
from streams.settings import load
from tests.support.recorded import MINUTES, START, calls, envelope, store_windows


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """Return a file of recorded calls."""
    path = tmp_path_factory.mktemp("recorded") / "calls.jsonl"
    path.write_bytes(b"\n".join(map(encode, calls())) + b"\n")
    return path


def test_a_recording_finds_what_live_events_would(recording):
    """The leak pages and the one slow call is among the odd events, named with what was odd about it."""
    steps = list(read_events(load(), [recording]))
    assert sum(step.events for step in steps) == 10 * MINUTES
    assert sum(group.events for step in steps for _, sums in step.ticks for group in sums) == 10 * MINUTES
    policies = {"eager": parse_policy("detectors: {odd_events: {alerts_per_day: 8}}"), "usual": Policy()}
    runs = judge_events(load(), steps, policies)
    found = runs["eager"]
    assert [item.metric for item in found if item.severity == "page"] == ["leak"]
    odd = {item.event_ids[0]: item for item in found if item.kind == "odd_event"}
    assert f"e{8 * MINUTES}" in odd
    assert "latency" in odd[f"e{8 * MINUTES}"].details
    assert len(odd) <= 8
    assert not [item for item in runs["usual"] if item.kind == "severe_event"]


def test_two_policies_are_held_beside_each_other(recording, tmp_path):
    """The command prints both policies' findings; one that makes leaks tickets shows no page."""
    other = tmp_path / "other.yaml"
    other.write_text("detectors: {rates: {leak: ticket}, odd_events: {level: 'off'}}\n")
    answer = CliRunner().invoke(app, ["backtest", str(recording), "--policy", str(other), "--json"])
    assert answer.exit_code == 0, answer.output
    lines = [json.loads(line) for line in answer.output.splitlines()]
    levels = {name: [line["severity"] for line in lines if line["policy"] == name and line["metric"] == "leak"
                     and line["kind"] == "rate"] for name in ("the policy in use", str(other))}  # fmt: skip
    assert levels["the policy in use"][0] == "page"
    assert levels[str(other)] == ["ticket"] * len(levels["the policy in use"])
    shown = side_by_side(judge_events(load(), read_events(load(), [recording]), {"a": Policy()}) | {"b": []})
    assert shown.row_count >= 1
    with pytest.raises(BacktestError, match="--from and --to"):
        run_backtest(load(), [], None, [], as_json=False)


@pytest.mark.store
def test_stored_windows_give_what_the_recording_gives(recording, client, store_settings):
    """Windows kept in the store, read back for some time, lead to the same page as the events did."""
    steps = list(read_events(store_settings, [recording]))
    store_windows(client, steps)
    begin = datetime.fromtimestamp(START - 60, UTC)
    policies = {"a": Policy(), "b": parse_policy("detectors: {rates: {leak: ticket}}")}
    found = judge_windows(store_settings, policies, (begin, begin + timedelta(days=1)))
    live = judge_events(store_settings, steps, policies)
    for name in policies:
        rates = [item for item in found[name] if item.kind == "rate"]
        assert rates == [item for item in live[name] if item.kind == "rate"]
    assert found["a"] != found["b"]
    with pytest.raises(BacktestError, match="no windows are stored"):
        judge_windows(store_settings, policies, (begin - timedelta(days=9), begin - timedelta(days=8)))


def steps(unsafe, trace="t1", first=0):
    """Yield the steps of one agent trace, one a second; some of them are denied."""
    for number, bad in enumerate(unsafe):
        yield AgentStep(
            **envelope(first + number, first + number, trace_id=trace, session_id=trace),
            step_kind="execute_tool", tool_name="x", authorization="denied" if bad else "allowed",
        )  # fmt: skip


def test_unsafe_steps_that_follow_each_other_are_a_cascade(tmp_path):
    """Of the steps after an unsafe one of the same trace, those unsafe again are counted, also across ticks."""
    path = tmp_path / "steps.jsonl"
    unsafe = [0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0]
    path.write_bytes(b"\n".join(encode(step) for step in steps(unsafe)) + b"\n")
    ticks = [tick for step in read_events(load(), [path]) for tick in step.ticks]
    counted = [group.rates["cascade"] for _, sums in ticks for group in sums if "cascade" in group.rates]
    after = [now for before, now in itertools.pairwise(unsafe) if before]
    assert sum(item.trials for item in counted) == len(after)
    assert sum(item.flagged for item in counted) == sum(after)


def test_an_odd_trace_is_found_when_it_is_over(tmp_path):
    """Among some three hundred short traces one with two hundred steps is odd, and is told once it has ended."""
    path, lines = tmp_path / "traces.jsonl", []
    for number in range(320):
        length = 200 if number == 310 else 4 + number % 4
        lines += [encode(step) for step in steps([0] * length, f"t{number}", 300 * number)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    policy = parse_policy("detectors: {odd_events: {alerts_per_day: 50}}")
    found = judge_events(load(), read_events(load(), [path]), {"": policy})[""]
    assert f"e{300 * 310}" in [item.event_ids[0] for item in found if item.metric == "odd_trace"]
