"""From scores to a number of alerts a day, by rank: no score needs to be a probability.

An alert is raised where the share of past scores that were as high is below the share of events that the budget
allows. It is the conformal p-value of the score (Vovk, Gammerman and Shafer, "Algorithmic learning in a random world",
2005) against the budget, so the *rate* of alerts is fixed whatever the scores mean, as long as events are alike.
"""

from typing import Final

import numpy as np

from detectors.base import Bools, Floats, State, StateError
from detectors.columns import check_version

VERSION: Final = 1
CELLS: Final = 1_024
PER_DOUBLING: Final = 64
HALF_LIFE_EVENTS: Final = 5_000_000.0


class RankBudget:
    """Alerts for the rarest scores of one stream.

    Scores are kept as a histogram on a logarithmic scale, one per cent wide; ties are as high as each other, so a
    constant stream never alerts. The scores of a call are judged by those of earlier calls.

    Examples
    --------
    >>> budget, rng = RankBudget(), np.random.default_rng(1)
    >>> sum(int(budget.update(rng.exponential(1, 500), events_per_alert=1000).sum()) for _ in range(200))
    94
    """

    def __init__(self) -> None:
        self._counts: Floats = np.zeros(CELLS)

    def update(self, scores: Floats, events_per_alert: float) -> Bools:
        """Return which of some scores are alerts, then learn them.

        Parameters
        ----------
        scores
            Shape (n,), finite and not negative; 0 is never an alert.
        events_per_alert
            One alert in so many events, at least 1.

        Raises
        ------
        ValueError
            Where a number cannot be.
        """
        values = np.asarray(scores, np.float64)
        if values.ndim != 1 or not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError("scores must be one-dimensional, finite and not negative")
        if not events_per_alert >= 1:
            raise ValueError(f"one alert in {events_per_alert} events must be one in at least 1")
        cells = np.minimum(np.log2(1 + values) * PER_DOUBLING, CELLS - 1).astype(np.int64)
        as_high = np.cumsum(self._counts[::-1])[::-1]
        total = as_high[0]
        alerts = (
            (values > 0) & (total >= events_per_alert) & ((as_high[cells] + 1) / (total + 1) <= 1 / events_per_alert)
        )
        self._counts *= 0.5 ** (len(values) / HALF_LIFE_EVENTS)
        self._counts += np.bincount(cells, minlength=CELLS)
        return np.asarray(alerts)

    def state(self) -> State:
        """Return the state as flat arrays, with a version."""
        return {"version": np.array([VERSION]), "counts": self._counts.copy()}

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where the state is of another version, or not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "rank budget")
        if "counts" not in state or state["counts"].shape != (CELLS,):
            raise StateError("the stored state of the rank budget is not whole; start without it")
        self._counts = state["counts"].astype(np.float64)
