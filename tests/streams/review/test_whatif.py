"""What guards were worth and what another threshold would have done, from stored scores and labels."""

import json
import time

import pytest
from typer.testing import CliRunner

from schemas.events import Inference
from schemas.guards import GuardFinding, GuardResult
from schemas.reviews import ReviewItem, ReviewLabel
from streams.commands.main import app

pytestmark = pytest.mark.store

PII, HOUR = "sec.data_leakage.pii", 3_600 * 10**9
SCORES = {"e0": 0.95, "e1": 0.75, "e2": 0.75, "e3": 0.6, "e4": 0.55}
LEAKS = {"e0", "e1", "e3"}


def records():
    """Return five answers that a guard scored at a threshold of .9, all drawn 1 in 2 and judged."""
    at = time.time_ns() - HOUR
    for name, score in SCORES.items():
        flag = score >= 0.9
        finding = GuardFinding(category=PII, score=score, score_kind="probability", threshold=0.9)
        guard = GuardResult(
            guard_name="pii", layer="output", status="ok", verdict="flag" if flag else "allow", mode="enforce",
            action="blocked" if flag else "none", findings=[finding],
        )  # fmt: skip
        common = {"source": "s", "time_unix_nano": at, "service_name": "a"}
        yield Inference(event_id=name, outcome="completed", guards=[guard], **common)
        yield ReviewItem(
            event_id=f"i-{name}", target_event_id=name, target_kind="inference", queue="safety",
            sampling_method="stratified", sampling_probability=0.5, stratum=0, reviewers=1, flagged=flag, **common,
        )  # fmt: skip
        yield ReviewLabel(
            event_id=f"l-{name}", target_event_id=name, evaluation_name="harm_review", annotator_kind="human",
            label="unsafe" if name in LEAKS else "safe", categories=[PII] if name in LEAKS else None,
            sampling_method="stratified", sampling_probability=0.5, annotator_pseudo_id="kim", **common,
        )  # fmt: skip


@pytest.fixture
def asked(running, monkeypatch):
    """A store with the answers, and a way to run a command on it."""
    settings, store = running
    store(*records())
    monkeypatch.setenv("WATCHKEEPER_SQL_PORT", str(settings.sql_port))
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE", settings.clickhouse)
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", settings.clickhouse_database)
    return lambda *words: CliRunner().invoke(app, words)


def test_a_threshold_is_answered_from_scores_and_labels(asked):
    """At .7 three would have been flagged, two rightly; as it was one was, rightly, and two thirds were missed."""
    said = asked("guard", "whatif", "pii", PII, "--threshold", "0.7", "--threshold", "0.6", "--json")
    now, higher, lower = map(json.loads, said.output.splitlines())
    assert (now["threshold"], int(now["flagged"]), now["precision"], now["recall"]) == (
        None,
        1,
        1,
        pytest.approx(1 / 3),
    )
    assert (higher["threshold"], int(higher["flagged"]), int(higher["judged"])) == (0.7, 3, 5)
    assert (higher["caught"], higher["wrong"]) == (pytest.approx(2), pytest.approx(1))
    assert higher["wrong_lower"] < 1 < higher["wrong_upper"] < 3
    assert (lower["recall"], int(lower["flagged"]), lower["missed"]) == (1, 4, 0)
    assert "as it was" in asked("guard", "whatif", "pii", PII, "--threshold", "0.7").output


def test_what_no_score_says_is_refused(asked):
    """Below every stored score, and for a category without scores, nobody knows what would have been flagged."""
    assert "below every score" in str(asked("guard", "whatif", "pii", PII, "--threshold", "0.1").exception)
    assert "gave no score" in str(asked("guard", "whatif", "pii", "sec.jailbreak").exception)


def test_the_statistics_tell_guards_and_categories_apart(asked):
    """`review stats` has a row for each guard, layer and hazard, beside what all of them caught together."""
    said = json.loads(asked("review", "stats", "--json").output)["services"]["a"]
    [pii] = [row for row in said["guards"] if (row["guard_name"], row["hazard"]) == ("pii", PII)]
    assert (pii["layer"], pii["precision"], pii["recall"]) == ("output", 1, pytest.approx(1 / 3))
    assert said["recall"]["value"] == pytest.approx(1 / 3)
    assert "Guards held against what people saw" in asked("review", "stats").output
