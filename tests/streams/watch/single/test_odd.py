"""Odd events: a few a day by their rank, none where nothing is known, and the same by a successor."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.policy.policy import parse_policy
from streams.watch.single.odd import OddWatch
from tests.support.detectors.subjects import assert_same_state
from tests.support.parts import block, measured, part

MINUTE_TICKS, EACH = 6, 40
RIVER = "river_class: river.anomaly.LODA, every: 2, parameters: {n_random_cuts: 5}"


def watch(more="alerts_per_day: 60"):
    """Return a watch of a whole fleet."""
    return OddWatch(10, 30, 1.0, parse_policy(f"detectors: {{odd_events: {{{more}}}}}"))


def calls(rng, step, odd=()):
    """Return a minute of calls with latencies and tokens; at some steps one takes a hundred times as long."""
    latency = rng.lognormal(6.5, 0.3, EACH)
    latency[0] *= 100 if step in odd else 1
    return [part(step * EACH, measured(EACH, latency=latency, input_tokens=rng.lognormal(5, 0.4, EACH)))]


def minutes(seed, count, odd=()):
    """Return so many minutes of calls."""
    rng = np.random.default_rng(seed)
    return [calls(rng, step, odd) for step in range(count)]


def run(subject, stream, start=0):
    """Return what some minutes bring to light; the last one is over when the next begins."""
    return [
        found
        for step, parts in enumerate(stream)
        for found in subject.judge(block((start + step) * MINUTE_TICKS, parts))
    ]


def test_the_one_slow_call_is_among_the_odd_ones():
    """A call that took a hundred times as long is a ticket that names its latency; the alerts are few."""
    found = run(watch(), minutes(1, 400, {300}))
    odd = {each.event_ids[0]: each for each in found}
    slow = odd[f"e{300 * EACH}"]
    assert (slow.kind, slow.severity, slow.metric) == ("odd_event", "ticket", "odd_call")
    assert "latency" in slow.details
    assert "latency" in slow.evidence
    assert len(found) < 60


def test_nothing_is_odd_where_nothing_is_known():
    """Empty ticks, events without a measure, the first minutes, and a policy that has it off are quiet."""
    assert not run(watch(), [[]] * 100)
    subject = watch()
    assert not run(subject, [[part(step, measured(1))] for step in range(100)])
    assert len(subject.book) == 0
    assert not run(watch(), minutes(2, 3, {0, 1, 2}))
    assert not run(watch("level: 'off'"), minutes(1, 320, {300}))


def test_contexts_are_bounded_and_none_is_lost(monkeypatch):
    """Services beyond the bound share a place; their events are scored all the same."""
    monkeypatch.setattr("streams.watch.single.odd.MOST_CONTEXTS", 2)
    subject = watch()
    for step in range(6):
        subject.judge(block(step * MINUTE_TICKS, [part(step, measured(1, latency=[5.0]), ("t", f"s{step}", "m", ""))]))
    assert len(subject.book) == 3
    assert subject.book.find(("~other", "call")) >= 0


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(0, 119), max_size=3))
def test_a_successor_says_the_same(seed, cuts):
    """With a class of River beside it too, a watch restored in mid-stream says the same in the same state."""
    settings_text = f"alerts_per_day: 2000, {RIVER}"
    plain, other, found = watch(settings_text), watch(settings_text), []
    for step, parts in enumerate(minutes(seed, 120, {100})):
        if step in cuts:
            successor = watch(settings_text)
            successor.restore(other.state())
            other = successor
        expected = run(plain, [parts], step)
        assert run(other, [parts], step) == expected
        found += expected
    assert_same_state(plain.state(), other.state())
    assert {each.detector for each in found} == {"mahalanobis_and_tail", "river.anomaly.LODA"}
