"""Emerging patterns: what is new, what is noise, what stays, state."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.base import StateError
from detectors.events import patterns
from detectors.events.patterns import PatternFinder
from tests.support.detectors.subjects import successor_of


def unit(vectors):
    """Return vectors of length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def noise(rng, count):
    """Return directions without any cluster."""
    return unit(rng.normal(size=(count, 32)))


def members(rng, centre, count):
    """Return vectors at a cosine of about 0.9 to a centre."""
    return unit(centre + rng.normal(0, 0.48 / np.sqrt(32), (count, 32)))


def taught(rng, topics, events=5_000):
    """Return a finder that has seen topics during its warm-up."""
    finder = PatternFinder(warm_up=events)
    for _ in range(events // 250):
        batch = np.concatenate([members(rng, topic, 250 // len(topics)) for topic in topics])
        assert not finder.assign(batch).new
    return finder


def test_a_new_cluster_in_noise_is_found_with_its_rows():
    """Of 12 attack vectors in a batch of 300, promoted at the eighth, at least 11 are named, and nothing else is."""
    rng = np.random.default_rng(1)
    finder = taught(rng, noise(rng, 5))
    attack = noise(rng, 1)[0]
    batch = noise(rng, 300)
    at = np.arange(20, 260, 20)
    batch[at] = members(rng, attack, len(at))
    labels, new = finder.assign(batch)
    assert len(new) == 1
    assert set(new[0].rows) <= set(at.tolist())
    assert len(new[0].rows) >= 11
    assert new[0].size == len(new[0].rows)
    assert new[0].began == finder.events - 300 + new[0].rows[0]
    assert (labels[new[0].rows] == new[0].number).all()
    assert finder.centroid(new[0].number) @ attack > 0.9


def test_members_over_many_batches_are_one_cluster():
    """One attack vector a batch is found at the eighth; size counts all of them, rows only this batch's."""
    rng = np.random.default_rng(2)
    finder, attack = taught(rng, noise(rng, 5)), noise(rng, 1)[0]
    found = []
    for number in range(1, 13):
        new = finder.assign(np.concatenate([members(rng, attack, 1), noise(rng, 30)])).new
        found += [(number, pattern.size, pattern.rows) for pattern in new]
    assert found == [(8, 8, [0])]


def test_members_further_apart_than_the_time_to_live_are_no_cluster():
    """A member each 600 events never makes eight in 4,000; one each 500 does."""
    rng = np.random.default_rng(3)
    for gap, clusters in ((600, 0), (500, 1)):
        finder, attack = PatternFinder(warm_up=0), noise(rng, 1)[0]
        new = [
            pattern
            for _ in range(20)
            for pattern in finder.assign(np.concatenate([members(rng, attack, 1), noise(rng, gap - 1)])).new
        ]
        assert len(new) == clusters


def test_noise_makes_no_cluster_and_evicts_none():
    """10,000 vectors of noise are never news, and the five topics keep their numbers and their members."""
    rng = np.random.default_rng(4)
    topics = noise(rng, 5)
    finder = taught(rng, topics)
    before = finder.assign(topics).labels
    for _ in range(40):
        assert not finder.assign(noise(rng, 250)).new
    assert (before >= 0).all()
    assert (finder.assign(topics).labels == before).all()


def test_what_was_there_in_the_warm_up_is_not_news_but_known():
    """Topics of the warm-up have labels from the start of service, and no finding ever named them."""
    rng = np.random.default_rng(5)
    topics = noise(rng, 8)
    finder = taught(rng, topics)
    labels, new = finder.assign(np.concatenate([members(rng, topic, 20) for topic in topics]))
    assert not new
    assert len(np.unique(labels[labels >= 0])) == 8
    assert (labels >= 0).mean() > 0.99


def test_a_centroid_follows_its_members():
    """A topic that turns by a right angle in small steps keeps its number."""
    rng = np.random.default_rng(6)
    first, second = np.eye(32)[:2]
    finder = taught(rng, first[None])
    for angle in np.linspace(0, np.pi / 2, 60):
        labels, new = finder.assign(members(rng, np.cos(angle) * first + np.sin(angle) * second, 50))
        assert not new
    assert (labels == 0).all()
    assert finder.centroid(0) @ second > 0.9


def test_where_all_places_are_taken_the_least_used_goes_and_numbers_are_not_used_again(monkeypatch):
    """A promoted cluster takes the place of the idle one; the idle number is gone for good."""
    monkeypatch.setattr(patterns, "CAPACITY", 3)
    rng, topics = np.random.default_rng(7), np.eye(32)
    finder = PatternFinder(warm_up=0)
    for topic in topics[:3]:
        finder.assign(members(rng, topic, 10))
    for _ in range(50):
        finder.assign(np.concatenate([members(rng, topics[0], 30), members(rng, topics[2], 30)]))
    new = finder.assign(members(rng, topics[3], 10)).new
    assert [pattern.number for pattern in new] == [3]
    assert len(finder) == 3
    finder.centroid(0)
    finder.centroid(2)
    with pytest.raises(KeyError, match="no cluster 1"):
        finder.centroid(1)


def test_a_young_cluster_is_not_the_first_to_go(monkeypatch):
    """What counts is the share of events since a cluster began, so an idle large one goes before a fresh small one."""
    monkeypatch.setattr(patterns, "CAPACITY", 3)
    rng, topics = np.random.default_rng(9), np.eye(32)
    finder = PatternFinder(warm_up=0)
    finder.assign(members(rng, topics[0], 2_000))
    for _ in range(20):
        finder.assign(members(rng, topics[1], 500))
    finder.assign(members(rng, topics[2], 10))
    assert [pattern.number for pattern in finder.assign(members(rng, topics[3], 10)).new] == [3]
    finder.centroid(2)
    with pytest.raises(KeyError, match="no cluster 0"):
        finder.centroid(0)


def test_one_topic_in_one_large_batch_is_one_cluster():
    """A wide topic that comes all at once makes several candidates, and those that come together are one cluster."""
    rng, centre = np.random.default_rng(10), np.eye(32)[0]
    batch = unit(centre + rng.normal(0, 0.85 / np.sqrt(32), (2_000, 32)))
    labels, new = PatternFinder(warm_up=0).assign(batch)
    assert len(new) == 1
    assert (labels == new[0].number).mean() > 0.9


def test_a_constant_stream_is_one_silent_cluster():
    """The same vector for ever is one cluster, learned in the warm-up and never news."""
    finder, one = PatternFinder(), np.tile(np.eye(32)[:1], (500, 1))
    assert not [new for _ in range(30) for new in finder.assign(one).new]
    assert (finder.assign(one).labels == 0).all()


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(0, 60), min_size=2, max_size=12), at=st.integers(0, 11), seed=st.integers(0, 9))
def test_state_round_trip_changes_nothing(cuts, at, seed):
    """Stored and restored in mid-stream, and fed longer vectors, labels and state are equal to the last bit."""
    rng = np.random.default_rng(seed)
    topics = noise(rng, 3)
    plain, other = PatternFinder(need=3, ttl=50, warm_up=40), PatternFinder(need=3, ttl=50, warm_up=40)
    for number, count in enumerate(cuts):
        batch = members(rng, topics[rng.integers(0, 3, count)], count)
        kept = batch.copy()
        expected = plain.assign(batch)
        assert (batch == kept).all()
        if number == at:
            stored = other.state()
            other = successor_of(PatternFinder(need=3, ttl=50, warm_up=40), stored)
            for array in stored.values():
                array[...] = 0
        labels, new = other.assign(batch * 4)
        assert (labels == expected.labels).all()
        assert new == expected.new
    for name, array in plain.state().items():
        np.testing.assert_array_equal(array, other.state()[name])


def test_an_empty_batch_changes_nothing():
    """No vectors, no labels, the same state."""
    finder = taught(np.random.default_rng(8), np.eye(32)[:2])
    before = finder.state()
    labels, new = finder.assign(np.empty((0, 32)))
    assert (len(labels), new) == (0, [])
    for name, array in finder.state().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize(
    "vectors",
    [np.zeros((1, 32)), np.full((1, 32), np.nan), np.full((1, 32), np.inf), np.ones((1, 31)), np.ones(32)],
)
def test_impossible_vectors_are_refused(vectors):
    """A vector without direction, and another shape, are refused and leave the state alone."""
    finder = PatternFinder()
    with pytest.raises(ValueError, match="vectors must be"):
        finder.assign(vectors)
    assert finder.events == 0


@pytest.mark.parametrize("wrong", [{"dimensions": 0}, {"need": 1}, {"ttl": 0}, {"warm_up": -1}])
def test_impossible_settings_are_refused(wrong):
    """Settings that could find nothing, or everything, are refused."""
    with pytest.raises(ValueError, match="at least"):
        PatternFinder(**wrong)


def test_another_version_of_state_is_refused():
    """State of a newer version is refused, with its version named."""
    state = PatternFinder().state()
    state["version"] = np.array([99])
    with pytest.raises(StateError, match="99"):
        successor_of(PatternFinder(), state)
