"""Cases from issues, specifications and vendors' SDKs, run through ``watchkeeper explain``; each names its source."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.events import Event
from schemas.wire import InvalidRecordError, decoder
from streams.commands.main import app

CASES = [json.loads(line) for line in Path(__file__).with_name("cases.jsonl").read_text().splitlines()]
LATER = {"blocked", "filtered", "failing_tool", "prompt_pii", "quality"}
"""Rates that count beside those that the cases speak of."""

NATIVE = {
    "F01": ("otlp", set()), "F03": ("otlp", set()), "F04": ("otlp", {"error"}), "F06": ("otlp", set()),
    "F08": ("otlp", {"unsafe_attempted"}), "F10": ("otlp", {"injection_flag"}), "F11": ("litellm", set()),
    "F12": ("litellm", {"unsafe_attempted"}), "F14": ("guard", {"blocked"}), "F15": ("guard", {"unsafe_attempted"}),
    "F17": ("bedrock", set()), "F22": ("guard", {"injection_flag"}), "F23": ("guard", {"unsafe_attempted"}),
    "F24": ("provider", {"refusal"}), "F26": ("provider", {"filtered"}),
    "F27": ("guard", {"guard_failure", "injection_flag"}), "F28": ("guard", {"unsafe_attempted"}),
    "F30": ("guard", {"injection_flag"}), "F35": ("langsmith", set()), "F36": ("mcp", {"failing_tool"}),
}  # fmt: skip
"""By case whose native form is a whole record: its dialect, and rates that it must be flagged for."""


def explained(path, lines):
    """Return what the command says of lines: one object a record."""
    path.write_text("\n".join(lines) + "\n")
    done = CliRunner().invoke(app, ["explain", str(path), "--json"])
    return [json.loads(line) for line in done.stdout.splitlines()]


def window(counted, rate):
    """Return trials and flagged of a rate, each session once."""
    sides = ({one["session"] for one in counted if rate in one[side]} for side in ("trials", "flagged"))
    return [len(side) for side in sides]


def refusal(line):
    """Return why the contract refuses a record that stands on `inference.v1` as it is."""
    with pytest.raises(InvalidRecordError) as error:
        decoder(Event)(line.encode(), 2**62)
    return error.value.reason


def hold(counted, right):
    """Hold what one event comes to against what is right for it."""
    flagged = set(counted["flagged"])
    if "flagged" in right:
        assert flagged - LATER == set(right["flagged"])
    for name in ("version", "session"):
        assert counted[name] == right.get(name, counted[name])
    for name in ("guards", "categories"):
        assert sorted(counted[name]) == sorted(right.get(name, counted[name]))
    assert flagged or not right.get("flagged_any")
    assert not set(right.get("not_trial", ())) & set(counted["trials"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case_counts_as_is_right(case, tmp_path):
    """All of a case's records, in order: rates, versions, sessions, guards and categories are the right ones."""
    lines = case.get("raw") or [json.dumps(event) for event in case["events"]]
    counted = [one for found in explained(tmp_path / "case.jsonl", lines) for one in found["counted"]]
    for number, right in enumerate(case["right"]):
        if "refused" in right:
            assert refusal(lines[number]) == right["refused"]
            assert counted[number]["refused"] == (None if "resourceSpans" in lines[number] else right["refused"])
            continue
        hold(counted[number], right)
        for name, field in (("groups", "version"), ("sessions", "session")):
            assert len({one[field] for one in counted}) == right.get(name, len({one[field] for one in counted}))
        for rate, trials, flags in [right[name] for name in ("window_trials", "window_total") if name in right]:
            assert window(counted, rate) == [trials, flags]


@pytest.mark.parametrize("case", [case for case in CASES if case["id"] in NATIVE], ids=lambda case: case["id"])
def test_a_native_record_is_known_and_counts(case, tmp_path):
    """As its vendor or convention writes it, it is known by its shape and flagged for what happened."""
    dialect, flagged = NATIVE[case["id"]]
    [found] = explained(tmp_path / "native.jsonl", [json.dumps(case["native"])])
    assert (found["dialect"], [one["refused"] for one in found["counted"]]) == (dialect, [None])
    assert flagged <= set(found["counted"][0]["flagged"])
    if not flagged:
        assert not found["counted"][0]["flagged"]
