"""Rules that every detector beside the rates keeps too."""

from functools import cache

import numpy as np
import pytest

from detectors.base import StateError
from tests.support.detectors.others import SUBJECTS, Quantities, River, RiverMachine, RiverTrees, Volumes
from tests.support.detectors.subjects import assert_same_state

every_subject = pytest.mark.parametrize("kind", SUBJECTS, ids=lambda kind: kind.__name__)
STEPS = 900


def steps(kind, seed=1, count=STEPS, change=600):
    """Return the arguments of each step, the last third of them changed."""
    subject, rng = kind(), np.random.default_rng(seed)
    return [subject.arguments(rng, step >= change) for step in range(count)]


@cache
def undisturbed(kind):
    """Return what a detector says at each of the steps, and its state after them."""
    subject = kind()
    return [subject.feed(step, arguments) for step, arguments in enumerate(steps(kind))], subject.detector.state()


@every_subject
def test_a_change_is_told(kind):
    """A change that is plain to see is told, so that the rules below are not those of a detector that sleeps."""
    found, _ = undisturbed(kind)
    assert any(found[600:])


@every_subject
def test_restored_in_mid_stream_it_goes_on_as_if_nothing_had_happened(kind):
    """Whatever it says and its state at the end are equal to the last bit, also when restored during the change."""
    (found, state), other = undisturbed(kind), kind()
    for step, arguments in enumerate(steps(kind)):
        if step in (3, 450, 607):
            other = other.successor()
        assert other.feed(step, arguments) == found[step]
    assert_same_state(state, other.detector.state())


@every_subject
def test_inputs_stay_and_state_is_not_shared(kind):
    """What the caller hands over is not changed, and arrays of a state are the caller's own."""
    subject = kind()
    for step, arguments in enumerate(steps(kind, count=50)):
        kept = [np.array(array, copy=True) for array in arguments]
        subject.feed(step, arguments)
        for array, before in zip(arguments, kept, strict=True):
            np.testing.assert_array_equal(array, before)
    state, kept = subject.detector.state(), subject.detector.state()
    successor = type(subject)(subject.restored(state))
    for array in state.values():
        array[...] = 0
    assert_same_state(subject.detector.state(), kept)
    assert_same_state(successor.detector.state(), kept)


@every_subject
def test_state_is_bounded_and_plain(kind):
    """State is numeric arrays with a version, and no larger after ten times the events (River keeps one epoch)."""
    subject, stream, sizes = kind(), steps(kind), []
    for step in range(10 * STEPS // 6):
        subject.feed(step, stream[step % 600])
        if step in (STEPS // 6, 10 * STEPS // 6 - 1):
            state = subject.detector.state()
            assert "version" in state
            assert all(array.dtype.kind in "biuf" for array in state.values())
            sizes.append(sum(array.nbytes for array in state.values()))
    most = 3 * 1_024 * 3 * 8 if issubclass(kind, River) else 0
    assert sizes[1] <= max(sizes[0], most)


@every_subject
def test_a_constant_stream_never_alarms(kind):
    """The same step over and over brings nothing to light; a River scorer's score settles."""
    subject = kind()
    found = [subject.feed(step, subject.constant()) for step in range(2_000)]
    if kind in (River, RiverTrees, RiverMachine):
        assert len({tuple(scores) for scores in found[1_600:] if scores}) <= 3
    else:
        assert not any(found)


@pytest.mark.parametrize(("kind", "bad"), [(kind, bad) for kind in SUBJECTS for bad in kind.bad])
def test_impossible_input_is_refused_and_leaves_no_trace(kind, bad):
    """NaN, infinite, negative, broken or unknown input is refused with an error, and nothing of it is kept."""
    subject = kind()
    before = subject.detector.state()
    with pytest.raises(ValueError, match=r"must|finite|leave"):
        subject.feed(0, bad)
    assert_same_state(subject.detector.state(), before)


@pytest.mark.parametrize("kind", [kind for kind in SUBJECTS if kind.timed], ids=lambda kind: kind.__name__)
def test_time_does_not_go_backwards(kind):
    """A step from before is refused."""
    subject, stream = kind(), steps(kind, count=2)
    subject.feed(5, stream[0])
    with pytest.raises(ValueError, match=r"backwards|before|after"):
        subject.feed(4, stream[1])


@every_subject
def test_foreign_state_is_refused(kind):
    """State of another version, or without a part, is refused by name."""
    subject = kind()
    state = subject.detector.state()
    with pytest.raises(StateError, match="version 99"):
        subject.restored({**state, "version": np.array([99])})
    for missing in set(state) - {"version"}:
        with pytest.raises(StateError):
            subject.restored({name: array for name, array in state.items() if name != missing})


@pytest.mark.parametrize("kind", [kind for kind in SUBJECTS if issubclass(kind, Quantities)])
def test_partitions_added_up_are_the_single_stream(kind):
    """Tables of two partitions, added up, say the same as the stream counted at one place, in any order of cells."""
    (found, state), merged, rng = undisturbed(kind), kind(), np.random.default_rng(2)
    for step, (series, at, counts) in enumerate(steps(kind)):
        part = rng.binomial(counts.astype(int), 0.4)
        order = rng.permutation(len(series))
        both = (series[order], at[order], (part + (counts - part))[order])
        assert merged.feed(step, both) == found[step]
    assert_same_state(state, merged.detector.state())


def test_silence_is_told_from_a_minute_that_was_left_out():
    """Minutes of zero are evidence of silence; minutes that were never shown are not."""
    shown, skipped = Volumes(), Volumes()
    stream = steps(Volumes, change=2_000)
    for step in range(600):
        shown.feed(step, stream[step])
        skipped.feed(step, stream[step])
    silent = (np.zeros(3),)
    assert any(shown.feed(600 + step, silent) for step in range(30))
    assert not skipped.feed(640, stream[640])
