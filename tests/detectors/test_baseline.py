"""What is normal: level, season, prior, policy, parent, fading."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import gamma

from detectors.rates.baseline import FIRST_EVENTS, PRIOR_EVENTS, SETTLED_EVENTS, Baseline
from detectors.rates.quantiles import SLACK

ONE = np.array([0])
DAY = 8_640
START = 19_675 * DAY
"""Midnight of a Tuesday in ticks of ten seconds."""


def baseline(prior=0.02, count=1, **more):
    """Return a baseline of some series of one prior."""
    made = Baseline(10)
    made.grow(np.full(count, prior), **more)
    return made


def teach(made, row, tick, trials, flagged):
    """Let a series learn a sum for its level and its hour."""
    rows = np.array([row])
    made.learn(rows, tick, np.array([float(trials)]), np.array([float(flagged)]))
    made.learn_hours(
        rows, tick, np.full(len(rows), made.hour_of(tick)), np.array([float(trials)]), np.array([float(flagged)])
    )


def test_without_data_the_prior_is_all_there_is():
    """The expected rate is the prior; its ceiling is the prior's 95 per cent bound, or the policy with its slack."""
    soft, hard = baseline(0.02), baseline(0.02, ceilings=np.array([0.02]))
    expected, ceiling, _ = soft.rates(ONE, START)
    assert expected[0] == pytest.approx(0.02)
    assert ceiling[0] == pytest.approx(gamma.ppf(0.95, FIRST_EVENTS) / FIRST_EVENTS * 0.02)
    assert hard.rates(ONE, START)[1][0] == pytest.approx(SLACK * 0.02)


@given(trials=st.integers(1, 10**7), share=st.floats(0, 1), prior=st.floats(1e-5, 0.9))
def test_the_ceiling_is_a_gamma_bound_with_slack(trials, share, prior):
    """After the first day the ceiling is max(95 % Gamma bound, 1.15 x mean) of the counts and the pseudo events.

    That of bets on large changes has the 90 % bound. Between the shapes of the table of quantiles it is a chord, off by
    less than one in 100,000.
    """
    made = Baseline(10, half_life_days=1e9, seasonal=False)
    made.grow(np.array([prior]))
    flagged = round(trials * share)
    made.learn(ONE, START, np.array([float(trials)]), np.array([float(flagged)]))
    pseudo = FIRST_EVENTS + (PRIOR_EVENTS - FIRST_EVENTS) * min(flagged / SETTLED_EVENTS, 1)
    level = (flagged + pseudo) / (trials + pseudo / prior)
    bound = gamma.ppf(0.95, flagged + pseudo) / (trials + pseudo / prior)
    expected, ceiling, near = made.rates(ONE, START + 1)
    assert expected[0] == pytest.approx(min(level, 1 - 1e-9))
    assert ceiling[0] == pytest.approx(min(max(bound, SLACK * level), 1 - 1e-9), rel=1e-5)
    nearer = gamma.ppf(0.9, flagged + pseudo) / (trials + pseudo / prior)
    assert near[0] == pytest.approx(min(max(nearer, SLACK * level), 1 - 1e-9), rel=1e-5)


def test_the_prior_is_left_only_as_evidence_comes_in():
    """With no flagged among n trials, the level falls as 1 / (n + 1 / prior): slowly at first."""
    made = baseline(0.02)
    assert made.level(ONE)[0] == pytest.approx(0.02)
    teach(made, 0, START, 50, 0)
    assert made.level(ONE)[0] == pytest.approx(0.01)
    teach(made, 0, START + 1, 10_000, 0)
    assert made.level(ONE)[0] < 0.00012


def test_a_rate_far_below_its_prior_gets_a_ceiling_of_its_own_size():
    """With one flagged of 2,000 the ceiling is at most a fifth above what the count alone allows with 95 per cent."""
    made = baseline(0.05)
    teach(made, 0, START, 2_000, 1)
    assert made.rates(ONE, START + 2 * DAY)[1][0] < 1.2 * gamma.ppf(0.95, 2) / 2_000


def test_in_its_first_day_a_series_is_held_against_its_prior():
    """However low a rate it shows, the ceiling stays at the prior for a day, and comes down then."""
    made = baseline(0.05)
    teach(made, 0, START, 100_000, 1000)
    assert made.rates(ONE, START + DAY - 1)[1][0] >= SLACK * 0.05
    assert made.rates(ONE, START + DAY)[1][0] == pytest.approx(SLACK * 0.01, rel=0.05)


def test_policy_is_the_most_the_ceiling_can_be():
    """A series that has learned a rate above its policy is still held against the policy."""
    made = baseline(0.02, ceilings=np.array([0.02]))
    teach(made, 0, START, 100_000, 5000)
    assert made.rates(ONE, START + 2 * DAY)[1][0] <= SLACK * 0.02 * 1.3  # the hour's own share above the level


def test_a_settled_parent_takes_the_place_of_the_prior():
    """A new series starts at the policy's prior, and at its parent's level once that has shown one."""
    made = Baseline(10)
    made.grow(np.array([0.02]))
    made.grow(np.array([0.02]), parents=np.array([0]))
    child = np.array([1])
    assert made.level(child)[0] == pytest.approx(0.02)
    teach(made, 0, START, 10_000, 40)
    assert made.level(child)[0] == pytest.approx(0.004, rel=0.1)
    assert made.rates(child, START + 1)[0][0] == pytest.approx(0.004, rel=0.1)


def test_a_parent_is_not_seen_within_its_own_tick():
    """What the parent learned in a tick counts for its children from the next one on, whoever comes first."""
    made = Baseline(10)
    made.grow(np.array([0.02]))
    made.grow(np.array([0.02]), parents=np.array([0]))
    child = np.array([1])
    teach(made, 0, START, 10_000, 40)
    before = made.rates(child, START + 1)
    teach(made, 0, START + 1, 10_000, 4000)
    np.testing.assert_array_equal(made.rates(child, START + 1), before)
    assert made.rates(child, START + 2)[0][0] > 2 * before[0][0]


def test_counts_fade_with_event_time():
    """After one half-life the same evidence weighs half: the level, and the hours against their pseudo events."""
    made = Baseline(10, half_life_days=7)
    made.grow(np.array([0.02]))
    teach(made, 0, START, 1000, 50)
    teach(made, 0, START + 7 * DAY, 0, 0)
    assert made.trials[0] == pytest.approx(500)
    assert made.flagged[0] == pytest.approx(25)
    assert made.hour_trials[0].sum() == pytest.approx(500)


def test_fading_does_not_depend_on_how_often_it_was_looked_at():
    """Learning every day or once in ten weeks, counts of the same age weigh the same."""
    daily, once = baseline(), baseline()
    for made in (daily, once):
        teach(made, 0, START, 1000, 50)
    for day in range(1, 71):
        teach(daily, 0, START + day * DAY, 0, 0)
    teach(once, 0, START + 70 * DAY, 0, 0)
    assert daily.flagged[0] == pytest.approx(once.flagged[0], rel=1e-9)
    later = START + 70 * DAY + 1
    np.testing.assert_allclose(daily.rates(ONE, later), once.rates(ONE, later), rtol=1e-5)


def test_a_week_of_hours_is_learned():
    """A rate that swings by half within the day and falls at the week-end is known to 10 % after four weeks."""
    made, rng = Baseline(10), np.random.default_rng(1)
    rows = np.arange(30)
    made.grow(np.full(30, 0.02))

    def rate(hour):
        return 0.01 * (1 + 0.5 * np.sin(2 * np.pi * hour / 24)) * (0.8 if hour // 24 % 7 >= 5 else 1)

    for hour in range(4 * 168):
        tick = START + hour * 360 + 180
        k = rng.binomial(4000, rate(hour), 30).astype(float)
        made.learn(rows, tick, np.full(30, 4000.0), k)
        made.learn_hours(rows, tick, np.full(len(rows), made.hour_of(tick)), np.full(30, 4000.0), k)
    for hour in range(4 * 168, 5 * 168):
        expected, *_ = made.rates(rows, START + hour * 360 + 180)
        assert expected.mean() == pytest.approx(rate(hour), rel=0.1)


def test_hours_are_joined_linearly():
    """Between the centres of two hours the expected rate lies on the line between theirs, without a step."""
    made = baseline()
    teach(made, 0, START + 180, 100_000, 1000)
    teach(made, 0, START + 540, 100_000, 3000)
    rates = [made.rates(ONE, START + tick)[0][0] for tick in range(180, 540)]
    steps = np.diff(rates)
    assert rates[0] < rates[-1]
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-4)


def test_hours_follow_the_length_of_a_tick():
    """A tick of a minute counts sixty to the hour, one of ten seconds 360."""
    assert Baseline(60).hour_of(60 * 24) == 24
    assert Baseline(10).hour_of(359) == 0
    assert Baseline(10).hour_of(360) == 1


def test_restart_forgets_everything_but_the_new_sums():
    """After a restart the level is that of the sums, above any policy, and no parent is heard."""
    made = baseline(0.02, ceilings=np.array([0.02]))
    teach(made, 0, START, 100_000, 1000)
    made.restart(0, START + 1, 1000, 100)
    assert made.level(ONE)[0] == pytest.approx(0.1, rel=0.02)
    assert made.rates(ONE, START + 2)[1][0] > SLACK * 0.099


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, np.nan, np.inf])
def test_impossible_priors_are_refused(prior):
    """A prior rate is above 0 and below 1."""
    with pytest.raises(ValueError, match="priors must"):
        baseline(prior)


@pytest.mark.parametrize("ceiling", [0.0, -1.0, np.nan])
def test_impossible_ceilings_are_refused(ceiling):
    """A policy ceiling is above 0."""
    with pytest.raises(ValueError, match="ceilings"):
        baseline(ceilings=np.array([ceiling]))


@pytest.mark.parametrize("parent", [0, 5, -2])
def test_a_parent_is_an_older_series(parent):
    """A series cannot descend from itself or from one that is still to come."""
    with pytest.raises(ValueError, match="parent"):
        baseline(parents=np.array([parent]))


@pytest.mark.parametrize(("tick_seconds", "half_life_days"), [(0, 28), (3601, 28), (10, 0), (10, np.nan), (10, -1)])
def test_impossible_times_are_refused(tick_seconds, half_life_days):
    """A tick lasts a second to an hour, a half-life at least a tick."""
    with pytest.raises(ValueError, match="must be"):
        Baseline(tick_seconds, half_life_days)
