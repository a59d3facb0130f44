"""Quantities and mixes: what has moved is named with its numbers, what is unknown is nobody's, and all of it ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detect.distributions import NEWCOMERS, SLOTS, MixWatch, QuantityWatch
from streams.policy.policy import Policy, parse_policy
from tests.support.watchers import (
    SECONDS,
    START,
    assert_each_ends_what_it_opened,
    assert_successors_agree,
    group,
    run,
    told,
)


def quantities(policy=None):
    """Return a watch of the quantities of a whole fleet."""
    return QuantityWatch(SECONDS, 1.0, 1_000, policy or Policy())


def mixes(policy=None):
    """Return a watch of the mixes of a whole fleet."""
    return MixWatch(SECONDS, 1.0, 1_000, policy or Policy())


def latencies(rng, median):
    """Return the sums of a tick with ten latencies."""
    bins, counts = np.unique(np.floor(8 * np.log2(rng.lognormal(np.log(median), 0.4, 10))).astype(int),
                             return_counts=True)  # fmt: skip
    return [group(quantities={"latency": dict(zip(map(str, bins), counts.tolist(), strict=True))})]


def test_a_latency_that_moves_is_told_in_its_unit_and_so_is_its_end():
    """A latency half as long again is a ticket that names both medians in milliseconds; its end names the ticket."""
    rng = np.random.default_rng(5)
    found = run(quantities(), 6_000, lambda step: latencies(rng, 1_200 if 3_000 <= step < 3_200 else 800))
    assert [(finding.kind, finding.severity, finding.direction) for finding in found] == [
        ("quantity", "ticket", "up"), ("recovery", "info", "up"),
    ]  # fmt: skip
    assert found[0].details["median_before"] == pytest.approx(800, rel=0.1)
    assert found[0].details["median"] == pytest.approx(1_200, rel=0.2)
    assert_each_ends_what_it_opened(found)


def test_a_new_name_in_a_mix_is_named_and_so_is_its_end():
    """A category that never came before and now makes up a tenth is a ticket that says which one; then it ends."""
    rng = np.random.default_rng(4)

    def mixed(step):
        new = {"c.new": int(rng.integers(0, 9)) or 1} if 3_000 <= step < 3_100 else {}
        return [group(mixes={"category": {"a": 30, "b": 10} | new})]

    found = run(mixes(), 5_000, mixed)
    assert [(finding.kind, finding.metric, finding.verdict) for finding in found[:2]] == [
        ("mix", "category", "c.new"), ("recovery", "category", "c.new"),
    ]  # fmt: skip
    assert found[0].severity == "ticket"
    assert "c.new is new" in found[0].evidence
    assert_each_ends_what_it_opened(found)


@pytest.mark.parametrize(
    "sums", [[], [group()], [group(quantities={"no.such": {"5": 9}}, mixes={"no.such": {"x": 9}})]]
)
def test_what_nobody_knows_changes_nothing(sums):
    """An empty tick, and quantities and mixes that no contract names, bring nothing to light and take no place."""
    for subject in (quantities(), mixes()):
        assert run(subject, 50, lambda _: sums) == []
        assert len(subject.book) == 0


def test_what_the_policy_has_off_is_not_followed():
    """A quantity and a mix that are off take no place."""
    policy = parse_policy("detectors: {quantities: {latency: 'off'}, mixes: {tool: 'off'}}")
    sums = [group(quantities={"latency": {"5": 9}}, mixes={"tool": {"x": 9}})]
    for subject in (quantities(policy), mixes(policy)):
        assert run(subject, 5, lambda _: sums) == []
        assert len(subject.book) == 0


def test_names_without_end_take_no_more_room():
    """However many names come, a mix has its slots and its latest sightings, and the most frequent one is known."""
    subject = mixes()
    for step in range(400):
        told(subject, START + step, [group(mixes={"tool": {f"n{step}": 2, f"often{step % 40}": 9, "newest": 1}})])
    assert len(subject._slots[0]) < SLOTS
    assert len(subject._sightings[0]) <= NEWCOMERS
    assert subject.newcomer(0).startswith("often")


@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 599), max_size=4))
def test_a_successor_says_the_same(seed, cuts):
    """Restored in mid-stream at any ticks, with names of any characters, it finds the same in the same state."""
    rng = np.random.default_rng(seed)
    names = ["a", "b\0", "", "c/d", "ä"]
    stream = [
        [
            group(
                service="s\0",
                quantities={"latency": {str(int(rng.integers(60, 70)) + 40 * (step > 500)): 20}},
                mixes={"tool": {name: int(rng.integers(1, 9)) for name in names[: 3 + 2 * (step > 500)]}},
            )
        ]
        for step in range(600)
    ]
    assert assert_successors_agree(quantities, stream, cuts)
    assert_successors_agree(mixes, stream, cuts)
