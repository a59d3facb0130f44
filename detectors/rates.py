"""Rare rates: a mixture Shiryaev-Roberts e-detector over many series at once.

Per series and active tick with n trials, k of them flagged, and ceiling p0, for each multiplier m::

    p1 = min(m p0, 1/2 + p0/2)      L = (p1/p0)^k ((1-p1)/(1-p0))^(n-k)      M <- (1 + M) L

and the statistic is the mean of the M. While the conditional rate is at most p0, E[L | past] <= 1, so M_t - t
is a supermartingale and the mean number of active ticks to M >= A is at least A, however the trials depend on
the past and however p0 moves (Shin, Ramdas and Rinaldo, "E-detectors", NEJSDS 2023). A tick without trials says
nothing and is not counted: starting the test in it is the same as starting it in the next one.

Onset comes from the matching CUSUM: where the excursion of the multiplier with the most evidence began.
Learning is *quarantined*: sums since the x2 excursion was last at zero wait, are learned when it is back there,
and are dropped at an alarm. So a change is never learned while it is still being proven, and in quiet times
everything is learned in the end. While a finding is open the baseline is frozen, until a down-test against "the
rate is still above 1.15 x the ceiling" has `RECOVERY_E` of evidence.
"""

from typing import Any, Final

import numpy as np

from detectors.base import Alarm, Findings, Floats, Ints, Recovery, State, StateError, checked_sums
from detectors.baseline import Baseline
from detectors.intervals import wilson

MULTIPLIERS: Final = np.array([1.25, 1.5, 2.0, 3.0, 5.0, 10.0])
QUARANTINE: Final = 2
"""Index of the multiplier whose excursion holds learning back."""

RECOVERED_UNDER: Final = 1.15
RECOVERY_E: Final = 20.0
RECOVERY_ALTERNATIVES: Final = np.array([0.5, 0.75, 0.9])
VERSION: Final = 1
_MOST: Final = 1e300

_WIDE: Final = len(MULTIPLIERS)


class RateDetector:
    """The detector of all series of a partition.

    Parameters
    ----------
    tick_seconds
        Length of a tick, for the hour of the week.

    Notes
    -----
    A series takes 2.0 kB: 1.3 kB of hourly counts, the rest evidence and excursions. State grows with series,
    never with traffic.
    """

    def __init__(self, tick_seconds: int) -> None:
        self.tick_seconds: Final = tick_seconds
        self.baseline = Baseline(tick_seconds)
        self.tick = -1
        self._sr: Floats = np.empty((0, _WIDE))
        self._log_cusum: Floats = np.empty((0, _WIDE))
        self._since_tick: Ints = np.empty((0, _WIDE), np.int64)
        self._since_trials: Floats = np.empty((0, _WIDE))
        self._since_flagged: Floats = np.empty((0, _WIDE))
        self._open_ceiling: Floats = np.empty(0)  # 0 where no finding is open
        self._down: Floats = np.empty((0, len(RECOVERY_ALTERNATIVES)))
        self._down_sums: Floats = np.empty((0, 2))

    def __len__(self) -> int:
        return len(self._sr)

    def grow(self, priors: Floats) -> None:
        """Add series, each with the rate that is normal until it has shown its own."""
        count = len(priors)
        self.baseline.grow(np.asarray(priors, np.float64))
        self._sr = _more(self._sr, count)
        self._log_cusum = _more(self._log_cusum, count)
        self._since_tick = _more(self._since_tick, count)
        self._since_trials = _more(self._since_trials, count)
        self._since_flagged = _more(self._since_flagged, count)
        self._open_ceiling = _more(self._open_ceiling, count)
        self._down = _more(self._down, count)
        self._down_sums = _more(self._down_sums, count)

    def is_open(self, series: int) -> bool:
        """Tell whether a finding of a series is open."""
        return bool(self._open_ceiling[series] > 0)

    def update(self, tick: int, series: Ints, trials: Floats, flagged: Floats, promise: float) -> Findings:
        """Score the sums of a tick, then learn from them.

        Parameters
        ----------
        tick
            Number of the tick, counted from the Unix epoch; never lower than before.
        series
            Which series have data, each once, in any order.
        trials, flagged
            Their sums.
        promise
            Threshold A, from `detectors.budget`.

        Raises
        ------
        ValueError
            Where time goes backwards or a sum cannot be (`checked_sums`).
        """
        if tick < self.tick:
            raise ValueError(f"tick {tick} comes after tick {self.tick}; ticks must not go backwards")
        rows, n, k = checked_sums(series, trials, flagged, len(self))
        self.tick = tick
        order = np.argsort(rows)
        rows, n, k = rows[order], n[order], k[order]
        _, ceiling = self.baseline.rates(rows, tick)
        watching = self._open_ceiling[rows] == 0
        alarms = self._score(tick, rows[watching], n[watching], k[watching], ceiling[watching], promise)
        recoveries = self._test_recovery(tick, rows[~watching], n[~watching], k[~watching])
        return Findings(alarms, recoveries)

    def _score(self, tick: int, rows: Ints, n: Floats, k: Floats, ceiling: Floats, promise: float) -> list[Alarm]:
        log_l = _log_likelihood_ratio(n, k, ceiling)
        with np.errstate(over="ignore"):
            self._sr[rows] = np.minimum((1 + self._sr[rows]) * np.exp(log_l), _MOST)
        self._extend_excursions(tick, rows, n, k, log_l)
        statistic: Any = self._sr[rows].mean(axis=1)
        alarming = np.flatnonzero(statistic >= promise)
        alarms = [self._open(tick, int(rows[at]), float(statistic[at]), promise, float(ceiling[at])) for at in alarming]
        self._learn_released(tick, np.delete(rows, alarming))
        return alarms

    def _extend_excursions(self, tick: int, rows: Ints, n: Floats, k: Floats, log_l: Floats) -> None:
        """Carry each CUSUM on; where it stood at zero, its excursion begins with this tick."""
        before = self._log_cusum[rows]
        starting = before <= 0
        self._since_tick[rows] = np.where(starting, tick, self._since_tick[rows])
        self._since_trials[rows] = np.where(starting, 0, self._since_trials[rows]) + n[:, None]
        self._since_flagged[rows] = np.where(starting, 0, self._since_flagged[rows]) + k[:, None]
        self._log_cusum[rows] = np.maximum(before + log_l, 0)

    def _learn_released(self, tick: int, rows: Ints) -> None:
        free = rows[self._log_cusum[rows, QUARANTINE] <= 0]
        self.baseline.learn(free, tick, self._since_trials[free, QUARANTINE], self._since_flagged[free, QUARANTINE])
        self._since_trials[free, QUARANTINE] = 0
        self._since_flagged[free, QUARANTINE] = 0

    def _open(self, tick: int, row: int, statistic: float, promise: float, ceiling: float) -> Alarm:
        best = int(np.argmax(self._log_cusum[row]))
        trials, flagged = self._since_trials[row, best], self._since_flagged[row, best]
        low, high = wilson(np.array([flagged]), np.array([trials]))
        alarm = Alarm(
            series=row,
            tick=tick,
            onset_tick=int(self._since_tick[row, best]),
            e_value=statistic,
            promise=promise,
            rate=float(flagged / trials),
            lower=float(low[0]),
            upper=float(high[0]),
            baseline=ceiling,
            trials=int(trials),
            flagged=int(flagged),
        )
        self._clear(row)
        self._open_ceiling[row] = ceiling
        self._down[row] = 0
        self._down_sums[row] = 0
        return alarm

    def _clear(self, row: int) -> None:
        self._sr[row] = 0
        self._log_cusum[row] = 0
        self._since_trials[row] = 0
        self._since_flagged[row] = 0

    def _test_recovery(self, tick: int, rows: Ints, n: Floats, k: Floats) -> list[Recovery]:
        """Bet against "the rate is above 1.15 x the ceiling" (CUSUM e-process, from the worst start on)."""
        worst = np.minimum(self._open_ceiling[rows] * RECOVERED_UNDER, 0.5)[:, None]
        below = worst * RECOVERY_ALTERNATIVES
        log_l = k[:, None] * np.log(RECOVERY_ALTERNATIVES) + (n - k)[:, None] * (np.log1p(-below) - np.log1p(-worst))
        fresh = np.all(self._down[rows] <= 0, axis=1, keepdims=True)
        self._down_sums[rows] = np.where(fresh, 0, self._down_sums[rows]) + np.stack([n, k], axis=1)
        self._down[rows] = np.maximum(self._down[rows] + log_l, 0)
        evidence = _recovery_e_value(self._down[rows])
        return [self._close(tick, int(row)) for row in rows[np.flatnonzero(evidence >= RECOVERY_E)]]

    def _close(self, tick: int, row: int) -> Recovery:
        trials, flagged = self._down_sums[row]
        low, high = wilson(np.array([flagged]), np.array([trials]))
        recovery = Recovery(
            series=row,
            tick=tick,
            e_value=float(_recovery_e_value(self._down[row])),
            rate=float(flagged / trials),
            lower=float(low[0]),
            upper=float(high[0]),
            baseline=float(self._open_ceiling[row]),
            trials=int(trials),
            flagged=int(flagged),
        )
        self._open_ceiling[row] = 0
        self._clear(row)
        return recovery

    def accept(self, series: int, trials: float, flagged: float) -> None:
        """Take a risen rate for the new normal: close its finding and start its baseline from these sums."""
        self.baseline.reset(series, trials, flagged)
        self._open_ceiling[series] = 0
        self._clear(series)

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        own = {name: getattr(self, f"_{name}").copy() for name in _STATE}
        below = {f"baseline_{name}": array for name, array in self.baseline.state().items()}
        return {"version": np.array([VERSION]), "tick": np.array([self.tick]), **own, **below}

    @classmethod
    def from_state(cls, state: State, tick_seconds: int) -> "RateDetector":
        """Return the detector that `state` was taken of.

        Raises
        ------
        StateError
            Where the state is of another version.
        """
        found = int(state["version"][0])
        if found != VERSION:
            raise StateError(f"rate detector state has version {found}, this is {VERSION}; start without it")
        detector = cls(tick_seconds)
        detector.tick = int(state["tick"][0])
        for name in _STATE:
            setattr(detector, f"_{name}", state[name].copy())
        detector.baseline.restore(
            {name.removeprefix("baseline_"): array for name, array in state.items() if name.startswith("baseline_")}
        )
        return detector


_STATE: Final = (
    "sr", "log_cusum", "since_trials", "since_flagged", "down", "since_tick", "open_ceiling", "down_sums",
)  # fmt: skip


def _log_likelihood_ratio(n: Floats, k: Floats, p0: Floats) -> Floats:
    """Return log L for each row and multiplier."""
    p0 = p0[:, None]
    p1 = np.minimum(p0 * MULTIPLIERS, 0.5 + p0 / 2)
    ratio: Floats = k[:, None] * np.log(p1 / p0) + (n - k)[:, None] * (np.log1p(-p1) - np.log1p(-p0))
    return ratio


def _recovery_e_value(log_evidence: Floats) -> Floats:
    """Return the mean of the bets, held finite: one tick of a busy service can prove more than a float holds."""
    mean: Floats = np.exp(np.minimum(log_evidence, np.log(_MOST))).mean(axis=-1)
    return mean


def _more(array: Any, count: int) -> Any:
    return np.concatenate([array, np.zeros((count, *array.shape[1:]), array.dtype)])
