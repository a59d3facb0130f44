"""Rare rates: a mixture Shiryaev-Roberts e-detector over many series at once, for rises or for falls.

Each series and tick with data has a ceiling (for falls, a floor) p0 (`detectors.rates.baseline`), the likelihood ratios
L of seven multiples of it, and M <- (s + M) L for each, with stakes s of mean 1 (`detectors.rates.likelihood`); the
statistic is the mean of the M, and an alarm is raised where it reaches A.

**The promise.** Call a tick in which a series has data active, and number these t = 1, 2, ... While the conditional
rate is at most p0, E[L | past] <= 1, so E[M_t | past] <= 1 + M_(t-1): M_t - t is a supermartingale that starts at 0.
Stopped at the alarm T this gives E[T] >= E[M_T] >= A: the mean number of *active ticks* to a false alarm is at least
A, however the trials depend on the past and on other series, and however p0 moves (Shin, Ramdas and Rinaldo,
"E-detectors", NEJSDS 2023). A tick without data has L = 1 and tells nothing; beginning the test in it is beginning
it in the next active one. So it is not counted, on neither side: gaps cost nothing, and the fleet's budget divides
measured active ticks (`detectors.budget`).

**Score first, learn second, and never learn a change in progress.** Sums wait in `detectors.rates.quarantine` while the
CUSUM of one multiplier (`detectors.rates.excursions`) is above zero, are learned when it is back there, and are dropped
at an alarm. While a finding is open the baseline is frozen, until the down-test (`detectors.rates.recovery`) or a
person closes it.
"""

from types import ModuleType
from typing import Any, Final

import numpy as np

from detectors.base import Alarm, Bools, Findings, Floats, Ints, Recovery, State, StateError, checked_sums, checked_tick
from detectors.columns import Columns, check_version, restore, stored
from detectors.compiled import kernels
from detectors.intervals import wilson
from detectors.rates.baseline import HALF_LIFE_DAYS, Baseline
from detectors.rates.excursions import Excursions
from detectors.rates.likelihood import FALLS, MULTIPLIERS, STAKES, Direction, log_likelihood_ratios, shiryaev_roberts
from detectors.rates.quarantine import Quarantine
from detectors.rates.recovery import EVIDENCE, RecoveryTest
from detectors.rates.watch import TickFindings, TickSums, Watch, arrays_of, counts_of, limits_of

VERSION: Final = 6


class RateDetector:
    """The detector of all series of a partition.

    Parameters
    ----------
    tick_seconds
        Length of a tick, for the hour of the week.
    half_life_days
        Event time in which what was learned loses half its weight.
    seasonal
        Whether rates are expected to follow the hour of the week.
    direction
        Whether a rise above the ceiling is an alarm, or a fall below the floor (refusals or flags that vanish).

    Notes
    -----
    A series takes 2.2 kB, 1.5 kB of it hours of the week and of the day. State grows with series, never with traffic
    or time.

    Examples
    --------
    >>> detector, one, found = RateDetector(tick_seconds=60), np.array([0]), []
    >>> detector.grow(np.array([0.01]))
    >>> for tick in range(400):
    ...     flagged = np.array([tick % 2.0 if tick < 300 else 4.0])
    ...     found += detector.update(tick, one, np.array([50.0]), flagged, promise=1e5).alarms
    >>> [(alarm.onset_tick, alarm.tick, round(alarm.rate, 2)) for alarm in found]
    [(300, 302, 0.08)]
    """

    def __init__(
        self, tick_seconds: int, half_life_days: float = HALF_LIFE_DAYS, *, seasonal: bool = True,
        direction: Direction = "up",
    ) -> None:  # fmt: skip
        self.tick_seconds: Final = tick_seconds
        self.direction: Final[Direction] = direction
        self.baseline: Final = Baseline(tick_seconds, half_life_days, seasonal=seasonal)
        self.tick = -1
        self._watch: Final = Watch()
        self._excursions: Final = Excursions()
        self._quarantine: Final = Quarantine()
        self._recovery: Final = RecoveryTest(direction)

    def __len__(self) -> int:
        return len(self._watch)

    @property
    def rising(self) -> bool:
        """Whether it is rises that are looked for."""
        return self.direction == "up"

    def grow(self, priors: Floats, parents: Ints | None = None, ceilings: Floats | None = None) -> None:
        """Add series; `Baseline.grow` explains the parameters and what it refuses."""
        if not len(priors):
            return
        self.baseline.grow(priors, parents, ceilings)
        for part in (self._watch, self._excursions, self._quarantine, self._recovery):
            part.extend(len(self.baseline) - len(part))

    def is_open(self, series: int) -> bool:
        """Tell whether a finding of a series is open; while it is, there is no second alarm."""
        return bool(self._watch.open[series])

    def open(self, rows: Ints) -> Bools:
        """Tell which of some series have an open finding."""
        found: Bools = self._watch.open[rows]
        return found

    def update(self, tick: int, series: Ints, trials: Floats, flagged: Floats, promise: float | Floats) -> Findings:
        """Score the sums of a tick, then learn from them.

        A tick may come in several calls, each with other series, and ticks without data may be left out.

        Parameters
        ----------
        tick
            Number of the tick, counted from the Unix epoch; never lower than before.
        series
            Which series have data, in any order, each once in a tick.
        trials, flagged
            Their sums; a series without trials is passed over.
        promise
            Threshold A in active ticks, from `detectors.budget`: one for all, or one for each of `series`.

        Raises
        ------
        ValueError
            Where time goes backwards, a sum cannot be (`checked_sums`), a series has had its sums of this tick
            already, or the threshold is not a number of at least 1. Nothing is changed then.
        """
        given = arrays_of(tick, series, trials, flagged, promise) if kernels.kernel("rates") else None
        if given and (found := self._compiled(given)):
            return Findings(found.alarms, found.recoveries, found.expected)
        tick = checked_tick(tick, self.tick)
        rows, n, k = checked_sums(series, trials, flagged, len(self))
        limit = limits_of(promise, series, trials)
        if (self._watch.latest[rows] > tick).any():
            raise ValueError(f"a series has had its sums of tick {tick} already; add up all parts of a tick first")
        return self._plain(tick, rows, n, k, limit)

    def update_ticks(self, sums: TickSums) -> TickFindings:
        """Score the sums of ticks, each with other sums and in order, and learn from each before the next.

        It is the same as `update` for each; what that refuses is refused when the ticks before it are done.
        """
        if found := self._compiled(sums):
            return found
        found = TickFindings.none(len(sums.rows))
        for number, tick in enumerate(sums.ticks.tolist()):
            part = slice(sums.starts[number], sums.starts[number + 1])
            rows = sums.rows[part]
            one = self.update(tick, rows, sums.trials[part], sums.flagged[part], sums.limits[part])
            self._fill_in(found, part, rows, one)
        return found

    def _fill_in(self, found: TickFindings, part: slice, rows: Ints, one: Findings) -> None:
        found.alarms.extend(one.alarms)
        found.recoveries.extend(one.recoveries)
        found.expected[part], found.opened[part] = one.expected, self._watch.open[rows]
        found.settled[part] = self.baseline.settled(rows)

    def _plain(self, tick: int, rows: Ints, n: Floats, k: Floats, limit: Floats) -> Findings:
        self.tick = tick
        self._watch.latest[rows] = tick + 1
        bounds_of = self.baseline.rates if self.rising else self.baseline.floors
        expected, bound, near = bounds_of(rows, tick)
        is_open = self._watch.open[rows]
        recoveries = self._follow(tick, rows[is_open], n[is_open], k[is_open], bound[is_open])
        unbounded = ~is_open & (bound == 0)
        self._learn(tick, rows[unbounded], n[unbounded], k[unbounded])
        quiet = ~is_open & (bound > 0)
        of_quiet = rows[quiet], n[quiet], k[quiet], bound[quiet], near[quiet], limit[quiet]
        alarms = self._score(tick, *of_quiet) if quiet.any() else []
        return Findings(alarms, recoveries, expected)

    def _compiled(self, sums: TickSums) -> TickFindings | None:
        """Judge ticks with the kernel, and one by one what it leaves over; None where it cannot take them."""
        kernel = kernels.kernel("rates")
        if kernel is None:
            return None
        found = TickFindings.none(len(sums.rows))
        cells, watched = kernel.Cells(*sums, *found[2:]), self._watched(kernel)
        if not kernel.usable(max(self.tick, 0), cells, watched):
            return None
        level, clock = kernel.Level(*self.baseline.all_columns()), kernel.Clock(*self.baseline.clock, self.rising)
        at, multiples = 0, MULTIPLIERS if self.rising else FALLS
        while (at := kernel.judge(kernel.LOOPS, clock, level, watched, cells, multiples, at)) < len(cells.rows):
            one = slice(at, at + 1)
            tick = int(cells.ticks[np.searchsorted(cells.starts, at, side="right") - 1])
            rest = self._plain(tick, *(each[one] for each in cells[2:6]))
            self._fill_in(found, one, cells.rows[one], rest)
            at += 1
        self.tick = max(self.tick, *cells.ticks[-1:].tolist())
        return found

    def _watched(self, kernel: ModuleType) -> Any:
        watch, waiting = self._watch, self._quarantine
        columns = (watch.evidence, watch.latest, watch.open, *self._excursions.all_columns(), *waiting.all_columns())
        recovering = kernel.Recovering(*self._recovery.all_columns(), watch.open_trials, watch.open_flagged)
        return kernel.Watched(*columns, recovering)

    def _score(
        self, tick: int, rows: Ints, n: Floats, k: Floats, bound: Floats, near: Floats, limit: Floats
    ) -> list[Alarm]:
        ratios = log_likelihood_ratios(n, k, bound, self.direction, near)
        self._watch.evidence[rows] = evidence = shiryaev_roberts(self._watch.evidence[rows], ratios, STAKES)
        self._excursions.carry_on(tick, rows, n, k, ratios)
        statistic = evidence.mean(axis=1)
        alarms = [
            self._raise(tick, int(rows[at]), float(statistic[at]), float(limit[at]), float(bound[at]))
            for at in np.flatnonzero(statistic >= limit)
        ]
        calm = statistic < limit
        self._learn(tick, rows[calm], n[calm], k[calm])
        return alarms

    def _learn(self, tick: int, rows: Ints, n: Floats, k: Floats) -> None:
        if not len(rows):
            return
        self._quarantine.hold(self.baseline.hour_of(tick), rows, n, k)
        holding, since = self._excursions.holding(rows, self.baseline.mature(rows))
        self._quarantine.release(self.baseline, tick, rows[~holding], since[~holding])

    def _raise(self, tick: int, row: int, statistic: float, promise: float, bound: float) -> Alarm:
        onset, trials, flagged = self._excursions.strongest(row)
        low, high = wilson(np.array(flagged), np.array(trials))
        self.clear(row)
        self._recovery.start(row, float(low) / bound if self.direction == "up" else bound / float(high))
        self._watch.open[row] = True
        self._watch.open_trials[row], self._watch.open_flagged[row] = trials, flagged
        counted = counts_of(trials, flagged, (float(low), float(high)), bound, self.direction)
        return Alarm(series=row, tick=tick, onset_tick=onset, e_value=statistic, promise=promise, **counted)

    def _follow(self, tick: int, rows: Ints, n: Floats, k: Floats, bound: Floats) -> list[Recovery]:
        if not len(rows):
            return []
        self._watch.open_trials[rows] += n
        self._watch.open_flagged[rows] += k
        evidence = self._recovery.test(rows, n, k, bound)
        back = np.flatnonzero(evidence >= EVIDENCE)
        return [self._close(tick, int(rows[at]), float(evidence[at]), float(bound[at])) for at in back]

    def _close(self, tick: int, row: int, evidence: float, bound: float) -> Recovery:
        trials, flagged = float(self._recovery.trials[row]), float(self._recovery.flagged[row])
        low, high = wilson(np.array(flagged), np.array(trials))
        self.clear(row)
        back: Direction = "down" if self.rising else "up"
        return Recovery(
            series=row, tick=tick, e_value=evidence,
            **counts_of(trials, flagged, (float(low), float(high)), bound, back),
        )  # fmt: skip

    def clear(self, row: int) -> None:
        """Begin the test of a series anew, without a finding and with nothing waiting; its baseline stays."""
        self._watch.evidence[row] = 0
        self._watch.open[row] = False
        self._watch.open_trials[row] = self._watch.open_flagged[row] = 0
        self._excursions.clear(row)
        self._quarantine.drop(np.array([row]))

    def accept(self, series: int) -> None:
        """Take a risen rate for the new normal: close its finding, start its baseline from the sums since onset.

        Raises
        ------
        ValueError
            Where no finding of the series is open.
        """
        if not self.is_open(series):
            raise ValueError(f"series {series} has no open finding to accept")
        trials, flagged = float(self._watch.open_trials[series]), float(self._watch.open_flagged[series])
        self.baseline.restart(series, self.tick, trials, flagged)
        self.clear(series)

    def _parts(self) -> dict[str, Columns]:
        parts = (self._watch, self._excursions, self._quarantine, self._recovery, self.baseline)
        return dict(zip(("watch_", "excursions_", "quarantine_", "recovery_", "baseline_"), parts, strict=True))

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        settings = self.tick_seconds, self.baseline.half_life, self.baseline.seasonal, self.rising
        numbers = {"version": [VERSION], "tick": [self.tick], "settings": settings}
        return {name: np.array(each, np.int64) for name, each in numbers.items()} | stored(self._parts())

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where the state is of another version or other parameters, or is not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "rate detector")
        found, own = (each.get("settings", np.empty(0)).tolist() for each in (state, self.state()))
        if found != own or "tick" not in state:
            raise StateError(
                f"rate detector state was kept with (tick seconds, half-life in ticks, seasonal, rising) = {found}, "
                f"this detector has {own}; set them back or start without it"
            )
        restore(self._parts(), state)
        self.tick = int(state["tick"][0])
