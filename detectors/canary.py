"""Canary against stable: the candidate is worse, is not worse by a margin, or it is too early to say.

Given k flagged sessions in a tick, each came from the candidate with probability s, the candidate's share of the
tick's trials, if both are alike; whatever the common rate does, that does not change. For an odds ratio R the
candidate's part of the flagged is s R / (1 + s (R - 1)), so with k_c of k from the candidate::

    worse       log L = k_c log R - k log(1 + s (R - 1))                                      R = 1.25 ... 5
    not worse   log L = k_c log(R/m) + k log((1 + s (m - 1)) / (1 + s (R - 1)))               R = m/1.5 ... m/8

The means of the L are e-processes against "no worse" and against "worse by the factor m or more": each may be looked
at any time, and exceeds 1/alpha with probability at most alpha (Ville; Ramdas, Gruenwald, Vovk and Shafer,
"Game-theoretic statistics and safe anytime-valid inference", 2023; for canaries Lindon, Sanden and Shirikian, KDD
2022). Flagged are drawn without replacement from the trials, which scatters less than with it, so the bound holds for
frequent flags too (Hoeffding 1963). The share must be that of the tick: a running one makes a ramp look like a fault.
"""

from typing import ClassVar, Final, Literal, NamedTuple

import numpy as np

from detectors.base import Floats, Ints, State, checked_sums, checked_tick
from detectors.columns import Columns, check_version, check_whole, take_over
from detectors.intervals import wilson

VERSION: Final = 1
RATIOS: Final = np.array([1.25, 1.5, 2.0, 3.0, 5.0])
BELOW_MARGIN: Final = 1 / np.array([1.5, 2.0, 3.0, 8.0])

Verdict = Literal["worse", "not worse", "undecided"]


class Comparison(NamedTuple):
    """What is known of one candidate at some moment; `*_lower` and `*_upper` are 95 per cent intervals of its rates."""

    verdict: Verdict
    worse_e: float
    not_worse_e: float
    candidate_trials: int
    candidate_flagged: int
    stable_trials: int
    stable_flagged: int
    candidate_lower: float
    candidate_upper: float
    stable_lower: float
    stable_upper: float


class _Pairs(Columns):
    COLUMNS: ClassVar = ("worse", "not_worse", "sums", "worst", "best")

    def __init__(self) -> None:
        self.worse: Floats = np.empty((0, len(RATIOS)))  # log of each bet
        self.not_worse: Floats = np.empty((0, len(BELOW_MARGIN)))
        self.sums: Floats = np.empty((0, 4))  # candidate trials and flagged, stable trials and flagged
        self.worst: Floats = np.empty(0)  # highest log e-value so far: a verdict once given stays
        self.best: Floats = np.empty(0)


class CanaryComparison:
    """Candidates against what they stand beside, many pairs at once.

    Parameters
    ----------
    alpha
        Share of harmless candidates that may ever be called worse, and of candidates worse by `margin` that may
        ever be called not worse.
    margin
        Ratio from which on a candidate is too much worse to be let through; above 1.

    Raises
    ------
    ValueError
        Where one of them cannot be.

    Examples
    --------
    >>> canary = CanaryComparison()
    >>> canary.grow(1)
    >>> one = np.array([0])
    >>> for tick in range(40):
    ...     canary.update(tick, one, np.array([50.0]), np.array([3.0]), np.array([950.0]), np.array([19.0]))
    >>> canary.verdict(0).verdict
    'worse'
    """

    def __init__(self, alpha: float = 0.05, margin: float = 1.5) -> None:
        if not 0 < alpha < 1 or not margin > 1:
            raise ValueError(f"alpha must be between 0 and 1, and the margin above 1, not {alpha} and {margin}")
        self.alpha: Final = alpha
        self.margin: Final = margin
        self.tick = -1
        self._pairs: Final = _Pairs()

    def __len__(self) -> int:
        return len(self._pairs)

    def grow(self, count: int) -> None:
        """Add pairs."""
        self._pairs.extend(count)

    def update(
        self, tick: int, pairs: Ints, trials: Floats, flagged: Floats, stable_trials: Floats, stable_flagged: Floats
    ) -> None:
        """Take the sums of a tick; a pair in which only one side has trials learns nothing but their number.

        Parameters
        ----------
        tick
            Number of the tick; never lower than before.
        pairs
            Which pairs have data, each once.
        trials, flagged, stable_trials, stable_flagged
            Sums of the candidate, and of what it stands beside.

        Raises
        ------
        ValueError
            Where time goes backwards or a sum cannot be (`checked_sums`).
        """
        tick = checked_tick(tick, self.tick)
        both = np.asarray(trials, np.float64) + np.asarray(stable_trials, np.float64)
        either = np.asarray(flagged, np.float64) + np.asarray(stable_flagged, np.float64)
        for n, k in ((trials, flagged), (stable_trials, stable_flagged)):
            checked_sums(pairs, n, k, len(self))
        rows, n, k = checked_sums(pairs, both, either, len(self))
        self.tick = tick
        order = np.argsort(pairs, kind="stable")
        order = order[both[order] > 0]
        mine, my_flagged = np.asarray(trials, np.float64)[order], np.asarray(flagged, np.float64)[order]
        self._pairs.sums[rows] += np.stack([mine, my_flagged, n - mine, k - my_flagged], axis=1)
        self._bet(rows, (mine / n)[:, None], my_flagged[:, None], k[:, None])

    def _bet(self, rows: Ints, share: Floats, mine: Floats, flagged: Floats) -> None:
        pairs, margin = self._pairs, self.margin
        pairs.worse[rows] += mine * np.log(RATIOS) - flagged * np.log1p(share * (RATIOS - 1))
        ratios = margin * BELOW_MARGIN
        gain = np.log1p(share * (margin - 1)) - np.log1p(share * (ratios - 1))
        pairs.not_worse[rows] += mine * np.log(BELOW_MARGIN) + flagged * gain
        pairs.worst[rows] = np.maximum(pairs.worst[rows], _log_mean(pairs.worse[rows]))
        pairs.best[rows] = np.maximum(pairs.best[rows], _log_mean(pairs.not_worse[rows]))

    def verdict(self, pair: int) -> Comparison:
        """Return what can be said of a pair now; "worse" outlives "not worse"."""
        pairs, needed = self._pairs, -np.log(self.alpha)
        verdict: Verdict = "undecided"
        if pairs.worst[pair] >= needed:
            verdict = "worse"
        elif pairs.best[pair] >= needed:
            verdict = "not worse"
        sums = pairs.sums[pair]
        lower, upper = wilson(sums[[1, 3]], sums[[0, 2]])
        return Comparison(
            verdict,
            float(np.exp(min(pairs.worst[pair], 600.0))),
            float(np.exp(min(pairs.best[pair], 600.0))),
            *(int(number) for number in sums),
            *(float(end[side]) for side in (0, 1) for end in (lower, upper)),
        )

    def reset(self, pair: int) -> None:
        """Begin a comparison anew, for another candidate."""
        for name in self._pairs.COLUMNS:
            getattr(self._pairs, name)[pair] = 0

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        return {"version": np.array([VERSION]), "tick": np.array([self.tick]), **self._pairs.columns()}

    @classmethod
    def from_state(cls, state: State, alpha: float = 0.05, margin: float = 1.5) -> "CanaryComparison":
        """Return the comparison that `state` was taken of.

        Raises
        ------
        StateError
            Where the state is of another version, or not whole.
        """
        comparison = cls(alpha, margin)
        check_version(state, VERSION, "canary comparison")
        check_whole(state, ("tick",), "canary comparison")
        take_over({"": comparison._pairs}, state)
        comparison.tick = int(state["tick"][0])
        return comparison


def _log_mean(logs: Floats) -> Floats:
    highest = logs.max(axis=1)
    mean: Floats = highest + np.log(np.exp(logs - highest[:, None]).mean(axis=1))
    return mean
