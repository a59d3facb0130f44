"""Canary against stable: tells when a candidate is worse, many pairs at once, looked at as often as one likes.

Only flagged sessions speak. If the candidate has s of the trials of a tick, and its rate is r times the stable
one, the odds that a flagged session is the candidate's are r times s to 1 - s. A bet on r against r0 multiplies
the evidence, with c flagged sessions of the candidate and b of the stable version, by::

    L = (r/r0)^c D^(c+b)      D = (1 + s (r0 - 1)) / (1 + s (r - 1))

"Worse" bets on `WORSE` against r0 = 1, "not worse" bets on `NOT_WORSE` against r0 = margin; the e-value is the
mean over the bets. For independent sessions E[L] <= 1 holds on the far side of r0 at any rates and shares, by
the concavity of the logarithm, so each product is a supermartingale and passes 1/alpha with probability at most
alpha, ever (Ville 1939). It is a one-sided relative of the test of counts under a common moving rate by Lindon
and Malek, "Anytime-valid inference for multinomial count data" (NeurIPS 2022).

The share is that of the tick, never the running one: while a canary is ramped up, the running share lags behind
and calls every candidate worse as soon as the common rate moves. Sessions, not requests, must be counted: flags
that come in bursts are no independent trials.
"""

from typing import ClassVar, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from detectors.base import Floats, Ints, State
from detectors.columns import Columns, check_version, check_whole
from detectors.intervals import confidence_sequence

WORSE: Final = np.array([1.25, 1.5, 2.0, 3.0, 5.0])
NOT_WORSE: Final = np.array([0.5, 0.75, 1.0])
VERSION: Final = 1
_MOST: Final = 300 * np.log(10)


class Side(NamedTuple):
    """Counts and rates of one version, each field an array with one entry a pair.

    The interval from `lower` to `upper` holds at all times at once, for a rate that stands still.
    """

    trials: Floats
    flagged: Floats
    rate: Floats
    lower: Floats
    upper: Floats


class Verdicts(NamedTuple):
    """What is known of some pairs, each field an array with one entry a pair.

    `verdict` is "worse", "not worse" (by more than the margin) or "undecided", by the highest e-values so far;
    `e_worse` and `e_not_worse` are those of now. `candidate` and `stable` are counts of `bin`, the one that
    speaks most for "worse". `ticks` had trials of both.
    """

    verdict: npt.NDArray[np.str_]
    e_worse: Floats
    e_not_worse: Floats
    bin: Ints
    ticks: Ints
    candidate: Side
    stable: Side


class _Pairs(Columns):
    COLUMNS: ClassVar = ("worse", "not_worse", "worse_ever", "not_worse_ever", "trials", "flagged", "ticks")

    def __init__(self, bins: int) -> None:
        self.worse: Floats = np.empty((0, bins, len(WORSE)))  # log of the evidence
        self.not_worse: Floats = np.empty((0, bins, len(NOT_WORSE)))
        self.worse_ever: Floats = np.empty(0)  # log of the highest so far
        self.not_worse_ever: Floats = np.empty(0)
        self.trials: Floats = np.empty((0, 2))
        self.flagged: Floats = np.empty((0, 2, bins))
        self.ticks: Ints = np.empty(0, np.int64)


class CanaryComparison:
    """Candidate against stable, for all pairs of one metric.

    Parameters
    ----------
    alpha
        Bound on the probability that a pair is ever called "worse" though it is not; the same for "not worse".
    margin
        A candidate whose rate is this many times the stable one must not be called "not worse".
    bins
        How many counts a session is sorted into: hazard categories, or `exceedances` of latency. A candidate is
        worse if any bin is, by the mean of their e-values, and not worse if no bin is, by the least of them.

    Raises
    ------
    ValueError
        Where alpha is not between 0 and 1, the margin not above 1, or there is no bin.

    Examples
    --------
    >>> canary = CanaryComparison()
    >>> canary.grow(1)
    >>> for tick in range(40):
    ...     canary.update(tick, np.array([0]), np.array([50.0]), np.array([3.0]), np.array([950.0]), np.array([10.0]))
    >>> canary.verdict(np.array([0])).verdict.tolist()
    ['worse']
    """

    def __init__(self, alpha: float = 0.05, margin: float = 1.5, bins: int = 1) -> None:
        if not (0 < alpha < 1 and 1 < margin < np.inf and bins >= 1):
            raise ValueError("alpha must be between 0 and 1, margin above 1 and bins at least 1")
        self.alpha: Final = alpha
        self.margin: Final = margin
        self.bins: Final = bins
        self.tick = -1
        self._pairs: Final = _Pairs(bins)

    def __len__(self) -> int:
        return len(self._pairs)

    def grow(self, count: int) -> None:
        """Add pairs."""
        self._pairs.extend(count)

    def reset(self, row: int) -> None:
        """Start a pair anew, for another candidate."""
        self._pairs.clear(row)

    def update(
        self,
        tick: int,
        rows: Ints,
        candidate_trials: Floats,
        candidate_flagged: Floats,
        stable_trials: Floats,
        stable_flagged: Floats,
    ) -> None:
        """Bet on the sums of a tick.

        Parameters
        ----------
        tick
            Number of the tick, never lower than before: a tick is one bet, with the share of its own trials.
        rows
            Which pairs have data, (n,), each once, in any order.
        candidate_trials, stable_trials
            Their sessions, (n,). With none on one side a tick says nothing.
        candidate_flagged, stable_flagged
            How many of them were flagged, (n,), or in each bin, (n, bins).

        Raises
        ------
        ValueError
            Where time goes backwards or a sum cannot be.
        """
        if tick < self.tick:
            raise ValueError(f"tick {tick} comes after tick {self.tick}; ticks must not go backwards")
        at = np.asarray(rows, np.int64)
        if at.ndim != 1 or (len(at) and (at.min() < 0 or at.max() >= len(self) or len(np.unique(at)) != len(at))):
            raise ValueError(f"rows must be distinct and below {len(self)}; call grow() first")
        c, c_flagged = self._checked_side(at, candidate_trials, candidate_flagged)
        s, s_flagged = self._checked_side(at, stable_trials, stable_flagged)
        self.tick = tick
        share = np.divide(c, c + s, out=np.zeros(len(at)), where=c + s > 0)[:, None, None]
        self._pairs.worse[at] += _log_bets(share, c_flagged, s_flagged, WORSE, 1.0)
        self._pairs.not_worse[at] += _log_bets(share, c_flagged, s_flagged, NOT_WORSE, self.margin)
        self._pairs.trials[at] += np.stack([c, s], axis=1)
        self._pairs.flagged[at] += np.stack([c_flagged, s_flagged], axis=1)
        self._pairs.ticks[at] += (c > 0) & (s > 0)
        worse, not_worse = self._log_evidence(at)
        self._pairs.worse_ever[at] = np.maximum(self._pairs.worse_ever[at], worse)
        self._pairs.not_worse_ever[at] = np.maximum(self._pairs.not_worse_ever[at], not_worse)

    def _checked_side(self, at: Ints, trials: Floats, flagged: Floats) -> tuple[Floats, Floats]:
        n, k = np.asarray(trials, np.float64), np.asarray(flagged, np.float64)
        k = k[:, None] if self.bins == 1 and k.ndim == 1 else k
        if n.shape != at.shape or k.shape != (len(at), self.bins):
            raise ValueError(f"trials must have shape (n,) and flagged (n, {self.bins}), with n rows")
        if not (np.isfinite(n).all() and np.isfinite(k).all()):
            raise ValueError("trials and flagged must be finite; leave a pair without data out")
        if (k < 0).any() or (k > n[:, None]).any() or (n != np.floor(n)).any() or (k != np.floor(k)).any():
            raise ValueError("flagged and trials must be whole numbers with 0 <= flagged <= trials")
        return n, k

    def _log_evidence(self, at: Ints) -> tuple[Floats, Floats]:
        worse = _log_mean(_log_mean(self._pairs.worse[at]))
        not_worse: Floats = _log_mean(self._pairs.not_worse[at]).min(axis=1)
        return worse, not_worse

    def verdict(self, rows: Ints) -> Verdicts:
        """Return verdict and evidence of pairs, (n,), as of the last tick.

        "Worse" goes before "not worse": a candidate may be proven worse, and by less than the margin.
        """
        at = np.asarray(rows, np.int64)
        limit = -np.log(self.alpha)
        names = np.where(self._pairs.not_worse_ever[at] >= limit, "not worse", "undecided")
        worst = np.argmax(_log_mean(self._pairs.worse[at]), axis=1)
        e_worse, e_not_worse = (np.exp(np.minimum(log_e, _MOST)) for log_e in self._log_evidence(at))
        return Verdicts(
            np.where(self._pairs.worse_ever[at] >= limit, "worse", names),
            e_worse,
            e_not_worse,
            worst,
            self._pairs.ticks[at].copy(),
            self._side(at, 0, worst),
            self._side(at, 1, worst),
        )

    def _side(self, at: Ints, side: int, worst: Ints) -> Side:
        trials, flagged = self._pairs.trials[at, side], self._pairs.flagged[at, side, worst]
        return Side(trials, flagged, flagged / np.maximum(trials, 1), *confidence_sequence(flagged, trials))

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        return {"version": np.array([VERSION]), "tick": np.array([self.tick]), **self._pairs.columns()}

    def restore(self, state: State) -> None:
        """Take over what `state` returned, by the same margin.

        Raises
        ------
        StateError
            Where the state is of another version or number of bins, or not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "canary")
        check_whole(state, ("tick",), "canary")
        self._pairs.restore(state)
        self.tick = int(state["tick"][0])


def exceedances(counts: Floats) -> Floats:
    """Return how many sessions lie above each inner edge of ordered bins, (n, bins) to (n, bins - 1).

    A slower candidate has more sessions in a slow bin, but fewer in a fast one; above an edge it has only more.

    >>> exceedances(np.array([[70.0, 20.0, 10.0]])).tolist()
    [[30.0, 10.0]]
    """
    above: Floats = np.cumsum(np.asarray(counts, np.float64)[:, :0:-1], axis=1)[:, ::-1]
    return above


def _log_bets(share: Floats, c: Floats, s: Floats, ratios: Floats, against: float) -> Floats:
    """Return log L of each pair, bin and bet; shares of 0 and 1 give 0 by themselves."""
    dilution = np.log1p(share * (against - 1)) - np.log1p(share * (ratios - 1))
    bets: Floats = c[:, :, None] * np.log(ratios / against) + (c + s)[:, :, None] * dilution
    return bets


def _log_mean(log_values: Floats) -> Floats:
    mean: Floats = logsumexp(log_values, axis=-1) - np.log(log_values.shape[-1])
    return mean
