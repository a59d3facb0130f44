"""Telemetry: sources that fall silent, flood or lag are tickets, with their beginning and their end."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detect.volume import MINUTE, MOST_SILENT_MINUTES, TelemetryWatch
from streams.policy.policy import Policy, parse_policy
from tests.support.watchers import assert_each_ends_what_it_opened, assert_successors_agree, group, run

DAY = 1_440
START = 29_500_000
SETTLED = DAY + 120
"""Minutes after which a source is known: a day, and the hours of the day that come next."""


def watch(policy=None):
    """Return a watch of a whole fleet."""
    return TelemetryWatch(MINUTE, 1.0, 1_000, policy or Policy())


def traffic(rng, silent=(), flood=(), late=()):
    """Return what makes a tick: about 60 events, none or ten times as many or all of them late at some steps."""

    def make(step):
        events = int(rng.poisson(60 * (10 if step in flood else 1))) + 1
        return [] if step in silent else [group(events=events, late=events * (step in late))]

    return make


def test_silence_is_a_ticket_with_its_end():
    """After a day a source that is silent for an hour is one ticket, open until its traffic is back."""
    subject, gap = watch(), range(SETTLED, SETTLED + 60)
    make = traffic(np.random.default_rng(2), silent=gap)
    found = run(subject, SETTLED + 60, make, START)
    assert [(each.kind, each.verdict, each.severity, each.metric) for each in found] == [
        ("telemetry", "silent", "ticket", "volume")
    ]
    assert subject.open_since("a").startswith("silent since ")
    assert not subject.open_since("b")
    back = run(subject, 60, lambda step: make(SETTLED + 60 + step), START + SETTLED + 60)
    assert [(each.kind, each.verdict) for each in back] == [("recovery", "silent")]
    assert_each_ends_what_it_opened([*found, *back])
    assert not subject.open_since("a")


def test_a_flood_is_a_ticket_with_its_end():
    """Ten times the usual events is a flood; when it is over, that is said of the flood."""
    make = traffic(np.random.default_rng(3), flood=range(SETTLED, SETTLED + 60))
    found = run(watch(), SETTLED + 180, make, START)
    assert [(each.kind, each.verdict) for each in found[:2]] == [("telemetry", "flood"), ("recovery", "flood")]
    assert_each_ends_what_it_opened(found)


def test_a_source_that_lags_is_told():
    """When most events of most minutes come late, that is a ticket about lateness, beside no other."""
    subject = watch()
    found = run(subject, 400, traffic(np.random.default_rng(4), late=range(200, 400)))
    assert [(each.kind, each.metric, each.verdict) for each in found] == [("telemetry", "lateness", "lagging")]
    assert subject.open_since("a").startswith("lagging since ")


def test_nothing_is_told_of_what_the_policy_has_off_or_nobody_sends():
    """With volume off a gap is no news, nor are empty ticks without any source."""
    make = traffic(np.random.default_rng(2), silent=range(SETTLED, SETTLED + 120))
    assert not run(watch(parse_policy("detectors: {volume: 'off'}")), SETTLED + 120, make, START)
    assert not run(watch(), 100, lambda _: [], START)


def test_a_gap_of_weeks_is_evidence_about_nobody():
    """When nothing came from anybody for longer than two weeks, the time between is left out."""
    subject, make = watch(), traffic(np.random.default_rng(5))
    run(subject, SETTLED, make, START)
    assert not subject.judge(START + SETTLED + MOST_SILENT_MINUTES + 1, [])
    assert not subject.open_since("a")


@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, SETTLED + 40), max_size=4))
def test_a_successor_says_the_same(seed, cuts):
    """Restored in mid-stream at any ticks, it finds the same in the same state."""
    make = traffic(np.random.default_rng(seed), silent=range(SETTLED, SETTLED + 6), late=range(600, 700))
    found = assert_successors_agree(watch, map(make, range(SETTLED + 41)), cuts | {SETTLED + 4}, START)
    assert {each.verdict for each in found} >= {"silent", "lagging"}
