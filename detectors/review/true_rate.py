"""The true rate, and how good a guard is, from a few labels of a stratified sample.

Each cell (a stratum, and within it flagged or not) has a Beta posterior of its unsafe share, from its labels and a
weak prior. Rate, precision and recall are functions of these shares and of the known sizes of the cells; their
intervals are the quantiles over seeded draws from the posteriors. That stays right when the guard's recall falls,
because nothing is taken from an earlier validation of the guard (which is what makes the correction of Rogan and
Gladen, 1978, fail then).

For the record there is a sequence that may be looked at whenever one likes: bets on inverse-propensity labels
(Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", 2023). It is much wider.
"""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from detectors.base import Bools, Floats, State
from detectors.columns import check_version, check_whole
from detectors.review.strata import PRIOR_SHARES, STRATA

VERSION: Final = 1
PRIOR_LABELS: Final = 2.0
DOUBT: Final = 0.02
"""Unsafe pseudo labels that every cell has at least: without them a great cell without a find would pass for clean."""

DRAWS: Final = 4_000
STAKES: Final = np.array([0.9, 0.3, 0.1, 0.03, 0.01])


class Estimate(NamedTuple):
    """A value with its 95 per cent interval."""

    value: float
    lower: float
    upper: float


class Quality(NamedTuple):
    """How good a guard is."""

    precision: Estimate
    recall: Estimate


class Labels(NamedTuple):
    """What is known of a period, by stratum: events, labels given, and how many of those said unsafe.

    Arrays of shape (strata,), or (strata, 2) with the unflagged before the flagged.
    """

    events: Floats
    labelled: Floats
    unsafe: Floats


def true_rate(labels: Labels, seed: int = 1) -> Estimate:
    """Return the share of events that are unsafe.

    Raises
    ------
    ValueError
        Where a count cannot be.

    >>> events = np.array([40_000, 7_000, 2_000, 700, 200, 75, 25.0])
    >>> labelled = np.array([60, 80, 80, 80, 80, 75, 25.0])
    >>> unsafe = np.array([0, 0, 2, 6, 20, 40, 22.0])
    >>> [round(float(number), 4) for number in true_rate(Labels(events, labelled, unsafe))]
    [0.0046, 0.003, 0.0078]
    """
    checked, draws = _draws(labels, seed)
    return _estimate(_weighted(checked.events, draws) / checked.events.sum())


def guard_quality(labels: Labels, seed: int = 1) -> Quality:
    """Return precision and recall of a guard, from labels by stratum and by whether it flagged (shape (strata, 2)).

    Raises
    ------
    ValueError
        Where a count cannot be, or flagged and unflagged are not told apart.
    """
    found = _shares(labels, seed)
    return Quality(_estimate(found[0]), _estimate(found[1]))


def quality_change(before: Labels, now: Labels, seed: int = 1) -> Quality:
    """Return by how much precision and recall have changed; an interval without 0 is a drift.

    Raises
    ------
    ValueError
        As `guard_quality`.
    """
    old, new = _shares(before, seed), _shares(now, seed + 1)
    return Quality(_estimate(new[0] - old[0]), _estimate(new[1] - old[1]))


def _shares(labels: Labels, seed: int) -> tuple[Floats, Floats]:
    checked, draws = _draws(labels, seed)
    if checked.events.shape != (STRATA, 2):
        raise ValueError(f"labels must be told apart by whether the guard flagged: shape ({STRATA}, 2)")
    caught = _weighted(checked.events[:, 1], draws[:, :, 1])
    missed = _weighted(checked.events[:, 0], draws[:, :, 0])
    return caught / max(float(checked.events[:, 1].sum()), 1.0), caught / np.maximum(caught + missed, 1e-12)


def _draws(labels: Labels, seed: int) -> tuple[Labels, Floats]:
    """Return checked labels, and draws of the unsafe share of each cell, shape (draws, *cells)."""
    arrays = [np.asarray(part, np.float64) for part in labels]
    events, labelled, unsafe = arrays
    if len({array.shape for array in arrays}) > 1 or events.shape not in ((STRATA,), (STRATA, 2)):
        raise ValueError(f"events, labels and unsafe must have one shape, ({STRATA},) or ({STRATA}, 2)")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("counts must be finite")
    if (unsafe < 0).any() or (unsafe > labelled).any() or (labelled > events).any():
        raise ValueError("counts must be 0 <= unsafe <= labelled <= events")
    prior = PRIOR_SHARES.reshape(-1, *[1] * (events.ndim - 1))
    a = unsafe + np.maximum(PRIOR_LABELS * prior, DOUBT)
    b = labelled - unsafe + PRIOR_LABELS * (1 - prior)
    return Labels(events, labelled, unsafe), np.random.default_rng(seed).beta(a, b, (DRAWS, *events.shape))


def _weighted(events: Floats, draws: Floats) -> Floats:
    total: Floats = (draws * events).reshape(len(draws), -1).sum(axis=1)
    return total


def _estimate(draws: Floats) -> Estimate:
    lower, upper = np.quantile(draws, [0.025, 0.975])
    return Estimate(float(draws.mean()), float(lower), float(upper))


class RateSequence:
    """An interval of the true rate that holds at all times at once, for one stream of sampled events.

    Parameters
    ----------
    least_propensity
        No event is labelled with a smaller probability; above 0.
    alpha
        Share of streams whose rate may ever leave the interval.

    Examples
    --------
    >>> sequence, rng = RateSequence(least_propensity=0.05), np.random.default_rng(1)
    >>> for _ in range(200):
    ...     chosen = rng.random(1000) < 0.05
    ...     unsafe = rng.random(int(chosen.sum())) < 0.02
    ...     sequence.update(1000, unsafe, np.full(len(unsafe), 0.05))
    >>> lower, upper = sequence.interval()
    >>> 0.01 < lower < 0.02 < upper < 0.03
    True
    """

    def __init__(self, least_propensity: float, alpha: float = 0.05) -> None:
        if not 0 < least_propensity <= 1 or not 0 < alpha < 1:
            raise ValueError("the least propensity must be above 0 and at most 1, alpha between 0 and 1")
        self.least_propensity: Final = least_propensity
        self.alpha: Final = alpha
        self._grid: Final = np.concatenate([np.geomspace(1e-5, 0.02, 200), np.linspace(0.0203, 1, 400)])
        self._bets: Final = STAKES * least_propensity
        self._up: Floats = np.zeros((len(STAKES), len(self._grid)))  # log wealth against "at most"
        self._down: Floats = np.zeros((len(STAKES), len(self._grid)))  # against "at least"
        self._out: Bools = np.zeros((2, len(self._grid)), bool)

    def update(self, events: int, unsafe: npt.NDArray[np.bool_], propensity: Floats) -> None:
        """Take labels.

        Parameters
        ----------
        events
            How many events there were, labelled or not.
        unsafe, propensity
            For each labelled one, what was found and with what probability it had been chosen.

        Raises
        ------
        ValueError
            Where a propensity is too small or above 1, or there are more labels than events.
        """
        found, chance = np.asarray(unsafe, np.float64), np.asarray(propensity, np.float64)
        if found.shape != chance.shape or len(found) > events:
            raise ValueError("there must be one propensity for each label, and no more labels than events")
        if len(chance) and not ((chance >= self.least_propensity) & (chance <= 1)).all():
            raise ValueError(f"propensities must be {self.least_propensity} to 1")
        values = found[found > 0] / chance[found > 0]
        nothing = events - len(values)
        bets, rates = self._bets[:, None], self._grid[None]
        self._up += nothing * np.log1p(-bets * rates)
        self._down += nothing * np.log1p(bets * rates)
        for value in values.tolist():
            self._up += np.log1p(bets * (value - rates))
            self._down += np.log1p(-bets * (value - rates))
        needed = np.log(2 / self.alpha)
        self._out[0] |= _log_mean(self._up) >= needed
        self._out[1] |= _log_mean(self._down) >= needed

    def interval(self) -> tuple[float, float]:
        """Return the rates that are still possible."""
        lower = self._grid[self._out[0]].max(initial=0.0)
        upper = self._grid[self._out[1]].min(initial=1.0)
        return float(lower), float(upper)

    def state(self) -> State:
        """Return the state as flat arrays, with a version."""
        own = {"up": self._up.copy(), "down": self._down.copy(), "out": self._out.copy()}
        return {"version": np.array([VERSION]), "settings": np.array([self.least_propensity, self.alpha]), **own}

    @classmethod
    def from_state(cls, state: State) -> "RateSequence":
        """Return the sequence that `state` was taken of.

        Raises
        ------
        StateError
            Where the state is of another version, or not whole.
        """
        check_version(state, VERSION, "rate sequence")
        check_whole(state, ("settings", "up", "down", "out"), "rate sequence")
        sequence = cls(*state["settings"].tolist())
        sequence._up, sequence._down = state["up"].astype(np.float64), state["down"].astype(np.float64)
        sequence._out = state["out"].astype(bool)
        return sequence


def _log_mean(logs: Floats) -> Floats:
    highest = logs.max(axis=0)
    mean: Floats = highest + np.log(np.exp(logs - highest).mean(axis=0))
    return mean
