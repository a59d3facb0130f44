"""The compiled forms of detectors are the plain ones, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.compiled import kernels
from detectors.distributions.mixes import MixDetector
from detectors.distributions.quantities import QuantityDetector
from detectors.rates.detector import RateDetector
from detectors.volume.detector import VolumeWatch
from streams.findings.series import SeriesBook
from tests.support.detectors.subjects import assert_same_state

TICK = 170_000_000
SERIES = 5
SLOTS = 6
PROMISE = 2_000.0

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def _plain_again():
    yield
    kernels.unload()


def both(run):
    """Return what something gives with the plain forms, and with the compiled ones."""
    kernels.unload()
    plain = run()
    assert kernels.load()
    return plain, run()


def ticks(rng, most=400):
    """Yield ticks with gaps, some over hours, few over weeks; with the share of the way through them."""
    length = int(rng.integers(50, most))
    gaps = rng.choice([1, 1, 1, 1, 1, 7, 400, 9_000], length)
    gaps[rng.random(length) < 0.005] = 300_000
    for index, tick in enumerate((TICK + np.cumsum(gaps)).tolist()):
        yield tick, index / length


@pytest.mark.parametrize("direction", ["up", "down"])
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_rates_compiled_are_the_plain_ones(direction, seed):
    """Findings, expected rates and state are the same, whatever rises, falls and is silent for weeks."""
    usual, other = (0.02, 0.3) if direction == "up" else (0.3, 0.002)

    def run():
        rng, found = np.random.default_rng(seed), []
        detector = RateDetector(10, direction=direction)
        detector.grow(np.array([usual]), ceilings=np.array([usual]))
        detector.grow(np.full(SERIES - 1, usual), np.array([0, 0, -1, 0]))
        for tick, way in ticks(rng):
            rows = np.flatnonzero(rng.random(SERIES) < 0.7)
            trials = rng.integers(1, 60, len(rows))
            flagged = rng.binomial(trials, other if 0.5 < way < 0.8 else usual)
            found.append(detector.update(tick, rows, trials.astype(float), flagged.astype(float), PROMISE))
        return found, detector.state()

    (plain, state), (compiled, after) = both(run)
    assert [each[:2] for each in compiled] == [each[:2] for each in plain]
    assert all(one.expected.tobytes() == other.expected.tobytes() for one, other in zip(plain, compiled, strict=True))
    assert_same_state(state, after)


@pytest.mark.parametrize("kind", [QuantityDetector, MixDetector])
@settings(max_examples=8, deadline=None)
@given(seed=seeds)
def test_distributions_compiled_are_the_plain_ones(kind, seed):
    """Findings and state are the same, whatever moves and comes back."""

    def run():
        rng, found = np.random.default_rng(seed), []
        detector = kind(10, SLOTS)
        detector.grow(SERIES)
        for slot in range(1, SLOTS - 1) if kind is MixDetector else ():
            detector.use(0, slot)
            detector.use(1, slot)
        for tick, way in ticks(rng):
            shares = [0.02, 0.4, 0.3, 0.2, 0.05, 0.03] if not 0.5 < way < 0.75 else [0.02, 0.1, 0.1, 0.2, 0.3, 0.28]
            table = rng.multinomial(40, shares, SERIES) * (rng.random((SERIES, 1)) < 0.7)
            rows, cells = np.nonzero(table)
            found += detector.update(tick, rows, cells, table[rows, cells].astype(float), PROMISE)
        return found, detector.state()

    (plain, state), (compiled, after) = both(run)
    assert compiled == plain
    assert_same_state(state, after)


@settings(max_examples=8, deadline=None)
@given(seed=seeds, series=st.sampled_from([1, 7, 8, 20, 300]))
def test_activity_compiled_is_the_plain_one(seed, series):
    """How many series are alive, and how active they are, is the same for few and for many of them."""

    def run():
        rng, found = np.random.default_rng(seed), []
        book = SeriesBook(10, series)
        for row in range(series):
            book.row((str(row),), ("other",))
        for tick, _ in ticks(rng, 100):
            book.note(np.flatnonzero(rng.random(series) < 0.6), tick)
            found.append(book.activity(tick))
        return found, book.state()

    (plain, state), (compiled, after) = both(run)
    assert compiled == plain
    assert_same_state(state, after)


@settings(max_examples=5, deadline=None)
@given(seed=seeds)
def test_the_forms_may_change_at_any_moment(seed):
    """A detector that is at times compiled and at times plain is the same as one that never is."""
    rng = np.random.default_rng(seed)
    one, other = RateDetector(10), RateDetector(10)
    kernels.unload()
    for detector in (one, other):
        detector.grow(np.full(SERIES, 0.02))
    for tick, way in ticks(rng, 100):
        trials = rng.integers(1, 60, SERIES)
        given_sums = (
            np.arange(SERIES),
            trials.astype(float),
            rng.binomial(trials, 0.02 + 0.3 * (way > 0.5)).astype(float),
        )
        kernels.unload()
        plain = one.update(tick, *given_sums, PROMISE)
        assert rng.random() < 0.5 or kernels.load()
        assert other.update(tick, *given_sums, PROMISE)[:2] == plain[:2]
    assert_same_state(one.state(), other.state())


@settings(max_examples=6, deadline=None)
@given(seed=seeds)
def test_volume_compiled_is_the_plain_one(seed):
    """Findings and state are the same, whatever falls silent, floods and comes back."""

    def run():
        rng, found = np.random.default_rng(seed), []
        watch = VolumeWatch(warm_up_minutes=180)
        watch.grow(SERIES)
        level, minute = rng.integers(1, 40, SERIES), TICK // 6
        for index in range(1_500):
            minute += 1 if rng.random() < 0.99 else int(rng.integers(2, 700))
            way = 0.0 if 0.5 < index / 1_500 < 0.6 else 6.0 if 0.75 < index / 1_500 < 0.8 else 1.0
            found += watch.update(minute, rng.poisson(level * np.where(rng.random(SERIES) < 0.5, 1, way)), 3_000.0)
        return found, watch.state()

    (plain, state), (compiled, after) = both(run)
    assert compiled == plain
    assert_same_state(state, after)
