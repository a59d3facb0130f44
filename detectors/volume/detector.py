"""Silence and flood: a mixture Shiryaev-Roberts e-detector on counts per minute of many sources.

With a normal count from a to b, inflation v (`volume_baseline`) and count k, the bets of a minute are::

    fall to m f,  f = 0.6 t a:                log L = (k log m + (1 - m) f) / v
    rise to m c,  c = max(1.6 b / t, 0.2):    log L = (2 / v) (1 - 1 / sqrt m) (k - c sqrt m)

then M <- (1 + M) L for each, and the statistic is the mean of all M. The first is the Poisson likelihood ratio
to the power 1/v. If events come in independent bursts, it has a mean of at most 1 whatever the sizes of the
bursts, as long as the mean count is at least f: (exp(t b) - 1) / b is concave in b for t < 0, so Jensen's inequality
puts the worst case at bursts of one size v. A rise has no such worst case, so its bet rests on the sub-gamma
bound with variance v and scale v/2 (Boucheron, Lugosi and Massart, "Concentration Inequalities", 2013, section 2.4),
which covers bursts with exponential tails. Given a, b and v, the mean number of minutes to a false alarm is then at
least the threshold (Shin, Ramdas and Rinaldo, "E-detectors", NEJSDS 2023). The slack of 0.6 and 1.6 is for
ordinary swings from day to day, which are no finding; t = d / (d + 1/2) widens it while only d days have shown what
is normal at this hour of the day, and a weekend that was never seen may be a quarter of that (`volume.baseline`).

No hour is learned that ends with `QUARANTINE_E` of evidence or has a minute in an open finding, so a gap is not
taken for normal, unless it comes back at the same hour a week later. So a source that sends next to nothing at weekends
is found silent on the first, and then it is known. A silence closes when the count is
proven to be over half of the expected one, a flood when it is proven to be under twice as much.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Final, Literal

import numpy as np

from detectors.base import Floats, Ints, State
from detectors.columns import Columns, check_version, check_whole, restore, stored
from detectors.compiled import kernels
from detectors.volume.baseline import Normal, VolumeBaseline

FALLS: Final = np.array([0.5, 0.2, 0.05])
RISES: Final = np.array([2.0, 4.0, 8.0])
FALL_SLACK: Final = 0.6
RISE_SLACK: Final = 1.6
DOUBT_DAYS: Final = 0.5
LEAST_CEILING: Final = 0.2
"""A flood is of more events a minute than this, however quiet the source was."""

QUARANTINE_E: Final = 10.0
RECOVERY_E: Final = 20.0
STILL_SILENT: Final = 0.5
STILL_FLOODED: Final = 2.0
RECOVERED_RISES: Final = np.array([1.25, 1.5, 2.0])
RECOVERED_FALLS: Final = np.array([0.8, 0.65, 0.5])
VERSION: Final = 1
_MOST: Final = 1e300
_WIDE: Final = len(FALLS) + len(RISES)

Direction = Literal["silent", "flood", "recovered"]


@dataclass(frozen=True, slots=True)
class VolumeFinding:
    """The count of a series has fallen, risen or come back.

    Since `onset_minute` there were `observed` events where `expected` are normal; `e_value` is the evidence.
    """

    series: int
    minute: int
    onset_minute: int
    direction: Direction
    e_value: float
    observed: float
    expected: float


class _Series(Columns):
    COLUMNS: ClassVar = (
        "seen", "sr", "log_cusum", "since_minute", "since_sums", "open", "back", "back_minute", "back_sums",
    )  # fmt: skip

    def __init__(self) -> None:
        self.seen: Ints = np.empty(0, np.int64)
        self.sr: Floats = np.empty((0, _WIDE))
        self.log_cusum: Floats = np.empty((0, _WIDE))
        self.since_minute: Ints = np.empty((0, _WIDE), np.int64)
        self.since_sums: Floats = np.empty((0, _WIDE, 2))
        self.open: Ints = np.empty(0, np.int64)  # -1 silent, 1 flood
        self.back: Floats = np.empty((0, len(RECOVERED_RISES)))
        self.back_minute: Ints = np.empty(0, np.int64)
        self.back_sums: Floats = np.empty((0, 2))


class VolumeWatch:
    """The watch over the counts of all sources.

    Parameters
    ----------
    minute_seconds
        Length of a minute of event time, for the hour of the week.
    warm_up_minutes
        Minutes from a source's first event on, in which its counts are learned and not judged. An hour of the day
        that was never learned is not judged either.

    Notes
    -----
    A series takes 1.7 kB, most of it hourly counts. State grows with series, never with traffic.

    Examples
    --------
    >>> watch, rng, found = VolumeWatch(), np.random.default_rng(1), []
    >>> watch.grow(1)
    >>> for minute in range(3 * 1_440):
    ...     events = rng.poisson(20 if minute < 4_000 else 0, 1).astype(float)
    ...     found += watch.update(minute, events, promise=1e5)
    >>> [(finding.direction, finding.minute) for finding in found]
    [('silent', 4006)]
    """

    def __init__(self, minute_seconds: int = 60, warm_up_minutes: int = 1_440) -> None:
        self._warm_up: Final = warm_up_minutes
        self.baseline: Final = VolumeBaseline(minute_seconds)
        self.minute = -1
        self._series: Final = _Series()

    def __len__(self) -> int:
        return len(self._series)

    def grow(self, count: int) -> None:
        """Add series; each is unborn until its first event."""
        self.baseline.extend(count)
        self._series.extend(count)

    def is_open(self, series: int) -> bool:
        """Tell whether a finding of a series is open."""
        return bool(self._series.open[series] != 0)

    def update(self, minute: int, counts: Floats, promise: float) -> list[VolumeFinding]:
        """Judge the counts of a minute, then learn from them.

        Parameters
        ----------
        minute
            Number of the minute, counted from the Unix epoch; higher than before. A minute that is skipped says
            nothing: bring zeros for one that is known to have been empty.
        counts
            Events of every series in it, zeros included.
        promise
            Threshold of the evidence; the mean number of judged minutes of a series to a false alarm.

        Raises
        ------
        ValueError
            Where the minute is not a later one, or counts are not one whole number for each series.
        """
        if minute <= self.minute:
            raise ValueError(f"minute {minute} comes after minute {self.minute}; bring each minute once and in order")
        k = np.asarray(counts, np.float64)
        if k.shape != (len(self),):
            raise ValueError(f"counts must be one number for each of {len(self)} series; call grow() first")
        if not np.isfinite(k).all() or (k < 0).any() or (k != np.floor(k)).any():
            raise ValueError("counts must be whole numbers of at least 0")
        self.minute = minute
        self._turn(minute)
        kernel = kernels.kernel("volume")
        if kernel is not None:
            return self._compiled(kernel, k, float(promise))
        return self._plain(k, promise)

    def _turn(self, minute: int) -> None:
        if self.baseline.is_over(minute):
            calm = np.all(self._series.log_cusum < np.log(QUARANTINE_E), axis=1)
            self.baseline.turn(minute, (self._series.open == 0) & calm)

    def _plain(self, k: Floats, promise: float) -> list[VolumeFinding]:
        opened = self._series.open != 0
        normal = self.baseline.normal(self.minute)
        self._series.seen += (self._series.seen > 0) | (k > 0)
        self.baseline.note(k, self._series.seen > 0, opened)
        judged = np.flatnonzero((self._series.seen > self._warm_up) & (normal.days > 0) & ~opened)
        findings = self._judge(judged, k[judged], normal.of(judged), promise)
        rows = np.flatnonzero(opened)
        return findings + self._test_recovery(rows, k[rows], normal.of(rows))

    def _compiled(self, kernel: ModuleType, k: Floats, promise: float) -> list[VolumeFinding]:
        """Judge a minute with the kernel, and what it leaves over in the plain form."""
        series, base, opened = self._series, self.baseline, self._series.open != 0
        left, normal = np.empty(len(k), np.bool_), np.zeros((5, len(k)))
        learned = kernel.Learned(
            base.counts, base.minutes, base.hour_counts, base.hour_minutes, base.pending, base.tainted,
            base.window, base.squares, base.expected,
        )  # fmt: skip
        sources = kernel.Sources(
            series.seen, series.sr, series.log_cusum, series.since_minute, series.since_sums, series.open
        )
        minute = kernel.Minute(self.minute, base.minutes_an_hour, self._warm_up, promise)
        kernel.judge(kernel.LOOPS, learned, sources, k, normal, left, minute)
        self.baseline.pass_minute(series.seen > 0, opened)
        if not left.any():
            return []
        judged, rows = np.flatnonzero(left & ~opened), np.flatnonzero(opened)
        findings = self._judge(judged, k[judged], Normal(*normal[:, judged]), promise)
        return findings + self._test_recovery(rows, k[rows], Normal(*normal[:, rows]))

    def _judge(self, rows: Ints, k: Floats, normal: Normal, promise: float) -> list[VolumeFinding]:
        trust = normal.days / (normal.days + DOUBT_DAYS)
        ceiling = np.maximum(RISE_SLACK * normal.most / trust, LEAST_CEILING)
        falls = _fall_bets(k, FALL_SLACK * normal.least * trust, normal.inflation, FALLS)
        log_l = np.concatenate([falls, _rise_bets(k, ceiling, normal.inflation, RISES)], axis=1)
        with np.errstate(over="ignore"):
            self._series.sr[rows] = np.minimum((1 + self._series.sr[rows]) * np.exp(log_l), _MOST)
        before = self._series.log_cusum[rows]
        fresh = before <= 0
        self._series.since_minute[rows] = np.where(fresh, self.minute, self._series.since_minute[rows])
        sums = np.stack([k, normal.expected], axis=1)[:, None]
        self._series.since_sums[rows] = np.where(fresh[..., None], 0, self._series.since_sums[rows]) + sums
        self._series.log_cusum[rows] = np.maximum(before + log_l, 0)
        statistic: Any = self._series.sr[rows].mean(axis=1)
        return [self._alarm(int(rows[at]), float(statistic[at])) for at in np.flatnonzero(statistic >= promise)]

    def _alarm(self, row: int, statistic: float) -> VolumeFinding:
        best = int(np.argmax(self._series.log_cusum[row]))
        fallen = best < len(FALLS)
        finding = VolumeFinding(
            series=row,
            minute=self.minute,
            onset_minute=int(self._series.since_minute[row, best]),
            direction="silent" if fallen else "flood",
            e_value=statistic,
            observed=float(self._series.since_sums[row, best, 0]),
            expected=float(self._series.since_sums[row, best, 1]),
        )
        self._clear(row)
        self._series.open[row] = -1 if fallen else 1
        return finding

    def _clear(self, row: int) -> None:
        self._series.sr[row] = 0
        self._series.log_cusum[row] = 0
        self._series.open[row] = 0
        self._series.back[row] = 0

    def _test_recovery(self, rows: Ints, k: Floats, normal: Normal) -> list[VolumeFinding]:
        """Bet against "still under half" or "still over twice the expected count", from the worst start on."""
        still_high = np.maximum(STILL_FLOODED * normal.expected, LEAST_CEILING)
        up = _rise_bets(k, STILL_SILENT * normal.expected, normal.inflation, RECOVERED_RISES)
        down = _fall_bets(k, still_high, normal.inflation, RECOVERED_FALLS)
        fresh = np.all(self._series.back[rows] <= 0, axis=1)
        self._series.back_minute[rows] = np.where(fresh, self.minute, self._series.back_minute[rows])
        self._series.back_sums[rows] = np.where(fresh[:, None], 0, self._series.back_sums[rows]) + np.stack(
            [k, normal.expected], axis=1
        )
        self._series.back[rows] = np.maximum(
            self._series.back[rows] + np.where(self._series.open[rows, None] < 0, up, down), 0
        )
        evidence = np.exp(np.minimum(self._series.back[rows], np.log(_MOST))).mean(axis=1)
        return [self._close(int(rows[at]), float(evidence[at])) for at in np.flatnonzero(evidence >= RECOVERY_E)]

    def _close(self, row: int, evidence: float) -> VolumeFinding:
        observed, expected = self._series.back_sums[row].tolist()
        since = int(self._series.back_minute[row])
        self._clear(row)
        return VolumeFinding(row, self.minute, since, "recovered", evidence, observed, expected)

    def accept(self, series: int) -> None:
        """Take the present count for the new normal: close the finding and learn the series anew."""
        self.baseline.clear(series)
        self._clear(series)
        self._series.seen[series] = 0

    def _parts(self) -> dict[str, Columns]:
        return {"": self._series, "baseline_": self.baseline}

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        clock = np.array([self.baseline.hour, self.baseline.window_minutes])
        own = {"version": np.array([VERSION]), "minute": np.array([self.minute]), "baseline_clock": clock}
        return own | stored(self._parts())

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where the state is of another version, or not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "volume watch")
        check_whole(state, ("minute", "baseline_clock"), "volume watch")
        restore(self._parts(), state)
        self.minute = int(state["minute"][0])
        self.baseline.hour, self.baseline.window_minutes = state["baseline_clock"].tolist()


def _fall_bets(k: Floats, least: Floats, inflation: Floats, shares: Floats) -> Floats:
    """Return log L against "the mean count is at least `least`", for each row and share."""
    bets: Floats = (k[:, None] * np.log(shares) + (1 - shares) * least[:, None]) / inflation[:, None]
    return bets


def _rise_bets(k: Floats, most: Floats, inflation: Floats, multiples: Floats) -> Floats:
    """Return log L against "the mean count is at most `most`", for each row and multiple."""
    root = np.sqrt(multiples)
    bets: Floats = 2 * (1 - 1 / root) * (k[:, None] - most[:, None] * root) / inflation[:, None]
    return bets
