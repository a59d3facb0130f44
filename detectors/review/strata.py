"""Which events a person should look at, so that few labels tell the true rate.

Guards miss what they do not know, so a review of flagged events alone can't tell a rate. Events are put into seven
strata by the score of the guard, from "hardly any" to the top half per mille, and each stratum gets labels in
proportion to its size times the spread that is expected in it (Neyman, "On the two different aspects of the
representative method", 1934), but at least a few. Every event, also one without a score, has a propensity above zero;
it must be logged with the label.
"""

from typing import Final

import numpy as np

from detectors.base import Floats, Ints, State, StateError
from detectors.columns import check_version, check_whole

VERSION: Final = 1
TOPS: Final = np.array([0.2, 0.06, 0.02, 0.006, 0.002, 0.0005])
"""A stratum begins where this share of the events scores higher."""

STRATA: Final = len(TOPS) + 1
PRIOR_SHARES: Final = np.array([0.0003, 0.002, 0.01, 0.05, 0.2, 0.5, 0.85])
"""Unsafe share that is expected in each stratum until labels tell."""

LEAST: Final = 20.0
"""Labels a day that each stratum gets, if it has as many events."""

CELLS: Final = 2_048


class ReviewSampler:
    """The strata of one stream of scored events, and the propensity of each.

    Strata are fixed between renewals, so that events and labels of one period speak of the same ones.

    Parameters
    ----------
    labels_per_day
        How many labels people can give.

    Examples
    --------
    >>> sampler, rng = ReviewSampler(labels_per_day=500), np.random.default_rng(1)
    >>> sampler.learn(rng.beta(1, 50, 50_000))
    >>> sampler.renew(days=1.0)
    >>> stratum = sampler.strata(np.array([0.001, 0.2]))
    >>> stratum.tolist(), (sampler.propensity(stratum) * 1000).round(1).tolist()
    ([0, 6], [5.6, 794.8])
    """

    def __init__(self, labels_per_day: float) -> None:
        if not labels_per_day > 0:
            raise ValueError(f"labels a day must be above 0, not {labels_per_day}")
        self.labels_per_day: Final = labels_per_day
        self._counts: Floats = np.zeros(CELLS)  # of the period that is not over, by score
        self._edges: Floats = np.ones(len(TOPS))
        self._propensity: Floats = np.ones(STRATA)

    def strata(self, scores: Floats) -> Ints:
        """Return the stratum of each event.

        Parameters
        ----------
        scores
            Probabilities that the guard gave; NaN, where there is none, is the lowest stratum.

        Raises
        ------
        ValueError
            Where a score is below 0 or above 1.
        """
        values = np.nan_to_num(np.asarray(scores, np.float64), nan=0.0)
        if ((values < 0) | (values > 1)).any():
            raise ValueError("scores must be probabilities, 0 to 1; NaN where there is none")
        return np.searchsorted(self._edges, values, side="right").astype(np.int64)

    def propensity(self, strata: Ints) -> Floats:
        """Return with what probability an event of each stratum is to be reviewed."""
        chosen: Floats = self._propensity[strata]
        return chosen

    def learn(self, scores: Floats) -> None:
        """Count scores towards the strata of the next period; parameters and errors as of `strata`."""
        self.strata(scores)
        values = np.nan_to_num(np.asarray(scores, np.float64), nan=0.0)
        cells = np.minimum((values * CELLS).astype(np.int64), CELLS - 1)
        self._counts += np.bincount(cells, minlength=CELLS)

    def renew(self, days: float) -> None:
        """Begin a period: strata and propensities follow from what was learned in the last one, of so many days.

        Raises
        ------
        ValueError
            Where `days` is not above 0.
        """
        if not days > 0:
            raise ValueError(f"a period of {days} days must be above 0")
        total = self._counts.sum()
        if total:
            above = np.cumsum(self._counts[::-1])[::-1] / total  # share that scores as high as a cell or higher
            self._edges = np.array([np.searchsorted(-above, -top, side="left") for top in TOPS]) / CELLS
            cells = np.searchsorted(self._edges, np.arange(CELLS) / CELLS, side="right")
            events = np.bincount(cells, self._counts, STRATA) / days
            self._propensity = self._allocated(events)
        self._counts[:] = 0

    def _allocated(self, events: Floats) -> Floats:
        spread = events * np.sqrt(PRIOR_SHARES * (1 - PRIOR_SHARES))
        labels = np.maximum(self.labels_per_day * spread / spread.sum(), LEAST)
        labels *= self.labels_per_day / labels.sum()
        shares: Floats = np.where(events > 0, np.minimum(labels / np.maximum(events, 1e-9), 1.0), 1.0)
        return shares

    def state(self) -> State:
        """Return the state as flat arrays, with a version."""
        return {
            "version": np.array([VERSION]),
            "counts": self._counts.copy(),
            "edges": self._edges.copy(),
            "propensity": self._propensity.copy(),
        }

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where the state is of another version, or not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "review sampler")
        check_whole(state, ("counts", "edges", "propensity"), "review sampler")
        if state["counts"].shape != (CELLS,) or state["edges"].shape != TOPS.shape:
            raise StateError("review sampler state is of another form; start without it")
        self._counts, self._edges = state["counts"].astype(np.float64), state["edges"].astype(np.float64)
        self._propensity = state["propensity"].astype(np.float64)
