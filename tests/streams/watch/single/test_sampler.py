"""The sampler: the same log gives the same items, the estimate is right, and a successor goes on as if nothing were."""

import numpy as np
import pytest

from detectors.review.strata import STRATA
from streams.events.flags import BIT
from streams.policy.policy import parse_policy
from streams.watch.single.sampler import ReviewWatch
from tests.support import parts
from tests.support.parts import block, measured

POLICY = parse_policy("review: {labels_per_day: 400, second_reviewer_share: 0.2, always_at: 0.75}")


def part(first, scores, risk=None, counted=1):
    """Return events of one tick with their scores, NaN where no guard gave one."""
    count = len(scores)
    return parts.part(
        first,
        measured(count, guard_score=scores),
        flagged=np.where(np.nan_to_num(scores) > 0.5, BIT["unsafe_attempted"], 0).astype(np.uint32),
        counted=np.full(count, counted, np.uint8),
        risk=np.zeros(count, np.float32) if risk is None else np.asarray(risk, np.float32),
    )


def day(watch, rng, ticks=400, per_tick=100, start=0):
    """Run a day of events through a watch; return the items, and the scores by event."""
    items, scores = [], {}
    for number in range(ticks):
        tick = start + number * (8_640 // ticks)
        drawn = rng.beta(0.6, 25, per_tick)
        first = (start + number) * per_tick
        scores |= {f"e{first + at}": float(score) for at, score in enumerate(drawn)}
        items += watch.judge(block(tick, [part(first, drawn)]))
    return items, scores


def test_the_choice_is_a_function_of_the_log():
    """The same events give the same items; a successor with the state in the middle gives the rest.

    A checkpoint of before there were runs is taken over too.
    """
    first, _ = day(ReviewWatch(10, 1.0, POLICY), np.random.default_rng(1))
    again, _ = day(ReviewWatch(10, 1.0, POLICY), np.random.default_rng(1))
    assert first == again
    rng, watch = np.random.default_rng(1), ReviewWatch(10, 1.0, POLICY)
    halves = day(watch, rng, ticks=200)[0]
    successor = ReviewWatch(10, 1.0, POLICY)
    successor.restore(watch.state())
    assert all((successor.state()[name] == array).all() for name, array in watch.state().items())
    rest = day(watch, np.random.default_rng(2), ticks=200, start=8_640)[0]
    assert day(successor, np.random.default_rng(2), ticks=200, start=8_640)[0] == rest
    assert len(halves) > 0
    older = ReviewWatch(10, 1.0, POLICY)
    older.restore({name: array for name, array in watch.state().items() if not name.startswith("runs_")})
    assert day(older, np.random.default_rng(2), ticks=200, start=8_640)[0]


def test_as_many_labels_are_asked_for_as_people_can_give():
    """After the first hour about the labels of the policy are asked for, in all strata, with some read twice."""
    watch, rng = ReviewWatch(10, 1.0, POLICY), np.random.default_rng(3)
    day(watch, rng)
    items, _ = day(watch, rng, start=8_640)
    assert 300 < len(items) < 500
    assert {item.stratum for item in items} == set(range(STRATA))
    assert all(0 < item.sampling_probability <= 1 for item in items)
    twice = sum(item.reviewers == 2 for item in items)
    assert 0.1 < twice / len(items) < 0.3


def test_the_true_rate_comes_out_of_the_items_with_their_propensities():
    """Labels of the chosen, weighted by what chose them, give the true rate, most of which no guard had flagged.

    The weights are as many as the events, but for runs that were cut off.
    """
    watch, rng = ReviewWatch(10, 1.0, POLICY), np.random.default_rng(4)
    day(watch, rng)
    items, scores = day(watch, rng, ticks=800, start=8_640)
    unsafe = {name for name, score in scores.items() if rng.random() < score}
    weights, labelled, found = (np.zeros(STRATA) for _ in range(3))
    for item in items:
        weights[item.stratum] += 1 / item.sampling_probability
        labelled[item.stratum] += 1
        found[item.stratum] += item.target_event_id in unsafe
    assert abs(weights.sum() - len(scores)) < 0.01 * len(scores)
    centre = (found + 0.5) / (labelled + 1)
    half = 1.96 * np.sqrt((weights**2 * centre * (1 - centre) / labelled).sum())
    assert abs((weights * found / labelled).sum() - len(unsafe)) < half < len(unsafe)


def test_probes_are_nobodys_and_the_very_risky_is_asked_about_anyway():
    """An uncounted event is never chosen; one of high risk always, marked as flagged and with probability one."""
    watch = ReviewWatch(10, 1.0, parse_policy("services: {a: {tier: critical}}"))
    assert watch.judge(block(0, [part(0, np.full(200, 0.99), risk=np.ones(200), counted=0)])) == []
    items = watch.judge(block(1, [part(1_000, np.full(50, np.nan), risk=np.full(50, 0.9))]))
    assert len(items) == 50
    flagged = [item for item in items if item.sampling_method == "flagged"]
    assert {item.sampling_probability for item in flagged} == {1.0}
    assert len(flagged) >= 40


@pytest.mark.parametrize(
    "text", ["review: {labels_per_day: 0}", "review: {second_reviewer_share: 2}", "risk: {user: 3}"]
)
def test_a_policy_that_cannot_be_is_refused(text):
    """Nonsense in the parts about review and risk is an error with its line."""
    with pytest.raises(ValueError, match=r"p\.yaml:1"):
        parse_policy(text, "p.yaml")
