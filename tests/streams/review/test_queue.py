"""The queue: who is asked about what, what a judgement becomes, and what the judgements tell, on a real store."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from schemas.reviews import ReviewItem, ReviewLabel
from schemas.wire import InvalidRecordError
from streams.commands.main import app
from streams.kpis.period import Period
from streams.review.queue import Judgement, UnknownEventError, judged, upcoming
from streams.review.stats import stats

pytestmark = pytest.mark.store

NOW = time.time_ns()
HOUR = 3_600 * 10**9


def item(name, number, reviewers=1, propensity=0.1, stratum=0, flagged=False):
    """Return an item of the queue, an hour old."""
    return ReviewItem(
        event_id=f"i-{name}", source="s", time_unix_nano=NOW - HOUR + number * 10**9, service_name="a",
        target_event_id=name, target_kind="inference", queue="safety", sampling_method="stratified",
        sampling_probability=propensity, stratum=stratum, reviewers=reviewers, flagged=flagged, score=0.1, risk=0.1,
    )  # fmt: skip


def judge(settings, store, name, label, reviewer="kim"):
    """Judge an event and store the label."""
    record = judged(settings, Judgement(target_event_id=name, label=label, reviewer=reviewer))
    store(record)
    return record


def test_each_is_asked_about_the_oldest_that_still_needs_them(running):
    """An item waits until as many as it needs have judged it, and nobody is asked twice about the same."""
    settings, store = running
    store(item("e1", 1), item("e2", 2, reviewers=2))
    assert [each["target_event_id"] for each in upcoming(settings, "safety", "kim", 9)] == ["e1", "e2"]
    judge(settings, store, "e1", "safe")
    judge(settings, store, "e2", "unsafe")
    assert upcoming(settings, "safety", "kim") == []
    [waiting] = upcoming(settings, "safety", "ann")
    assert (waiting["target_event_id"], waiting["texts"]) == ("e2", {})
    assert upcoming(settings, "other", "ann") == []


def test_a_label_knows_how_its_event_was_chosen_and_replaces_an_earlier_one(running):
    """Propensity, method and time of queueing go along; a second judgement of the same person supersedes the first."""
    settings, store = running
    store(item("e1", 1))
    first = judge(settings, store, "e1", "safe")
    assert (first.sampling_method, first.sampling_probability, first.queue) == ("stratified", 0.1, "safety")
    assert first.labelled_at > first.queued_at == NOW - HOUR + 10**9
    assert judged(settings, Judgement(target_event_id="e1", label="unsafe", reviewer="kim")).supersedes_label_id == (
        first.event_id
    )
    with pytest.raises(UnknownEventError, match="e9"):
        judged(settings, Judgement(target_event_id="e9", label="safe", reviewer="kim"))
    with pytest.raises(InvalidRecordError, match="severity"):
        judged(settings, Judgement(target_event_id="e1", label="safe", reviewer="kim", severity=9))


def test_the_statistics_are_those_that_were_known_then(running):
    """The true rate comes with its interval; labels that came later are left out of what was known."""
    settings, store = running
    names = [(f"e{number}", number % 4 == 0) for number in range(40)]
    store(*(item(name, at, stratum=6 if flag else 0, flagged=flag) for at, (name, flag) in enumerate(names)))
    now = datetime.now(UTC)
    period = Period(now - timedelta(hours=6), now + timedelta(hours=1))
    assert stats(settings, period, now)["services"]["a"]["true_rate"] is None
    for name, flag in names:
        judge(settings, store, name, "unsafe" if flag else "safe")
    store(
        ReviewLabel(
            event_id="stray", source="k", time_unix_nano=time.time_ns(), service_name="a", target_event_id="nobody",
            evaluation_name="harm_review", label="safe", annotator_kind="human", sampling_method="random",
            sampling_probability=0.5, annotator_pseudo_id="ann",
        )
    )  # fmt: skip
    later = stats(settings, period, datetime.now(UTC) + timedelta(seconds=5))
    quality = later["services"]["a"]
    assert quality["labels"] == 40
    assert quality["true_rate"]["lower"] < 0.25 < quality["true_rate"]["upper"]
    assert quality["labels_to_halve"] > 40
    [kpi] = [row for row in later["kpis"] if row["kpi"] == "unsafe_reviewed" and row["service_name"] == "a"]
    assert {name: kpi[name] for name in ("value", "lower", "upper")} == quality["true_rate"]  # one answer
    assert (quality["precision"], quality["recall"]["value"]) == (None, 0)  # no guard said anything
    assert int(later["progress"]["unmatched"]) == 1
    assert int(later["progress"]["labelled"]) == 41
    before = stats(settings, period, now - timedelta(minutes=5))
    assert int(before["progress"]["labelled"]) == 0
    assert [row["value"] for row in before["kpis"] if row["kpi"] == "unsafe_reviewed"] == [None]


def test_the_commands_say_what_to_do(running, monkeypatch):
    """`next` shows the item with what is known of it, `stats` a table, and a wrong label is refused by name."""
    settings, store = running
    store(item("e1", 1))
    monkeypatch.setenv("WATCHKEEPER_SQL_PORT", str(settings.sql_port))
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE", settings.clickhouse)
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", settings.clickhouse_database)
    shown = CliRunner().invoke(app, ["review", "next", "--reviewer", "kim"])
    assert "e1  inference of a" in shown.output
    assert "1 in 10 of stratum 0" in shown.output
    assert "0 of 1 items judged" in CliRunner().invoke(app, ["review", "stats"]).output
    wrong = CliRunner().invoke(app, ["review", "label", "e1", "bad"])
    assert "'bad' is no label" in str(wrong.exception)
