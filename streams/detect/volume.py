"""Sources that fall silent, flood or lag: findings about the telemetry, never about safety.

A rate over telemetry that is not whole is not to be trusted; `open_since` says since when, and the judge puts it
beside every other finding of the service.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from detectors.base import Alarm, Recovery
from detectors.budget import threshold
from detectors.columns import prefixed, under
from detectors.rates.detector import RateDetector
from detectors.rates.watch import TickSums as RateSums
from detectors.volume.detector import VolumeFinding, VolumeWatch
from schemas.findings import Finding
from schemas.windows import OTHER
from streams.detect.watcher import Tick, TickSums
from streams.findings.episodes import Episodes
from streams.findings.evidence import moment
from streams.findings.series import Room, SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy

MINUTE: Final = 60
LATE_SHARE: Final = 0.5
"""A minute lags where at least this share of a service's events came late."""

USUALLY_LATE: Final = 0.02
"""Share of minutes that may lag before it is news."""

MOST_SILENT_MINUTES: Final = 14 * 1_440
"""A longer gap of all sources together is no evidence about any of them."""


class _Minute(NamedTuple):
    """A minute that is over: how many services were known, and of each its events and how many of them came late.

    `promise` is the threshold of its evidence; a silent minute counts as well as a busy one.
    """

    number: int
    series: int
    promise: float
    events: dict[int, list[int]]


class TelemetryWatch:
    """How many events each service of one partition of the windows sends a minute, and whether they come in time."""

    def __init__(self, tick_seconds: int, share: float, max_series: int | Room, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._off: Final = policy.detectors.volume == "off"
        self._tickets: Final = policy.budget.tickets_per_day * share
        self.book: Final = SeriesBook(MINUTE, max_series)
        self.volume: Final = VolumeWatch()
        self.lag: Final = RateDetector(MINUTE)
        self._minute = -1
        self._events: dict[int, list[int]] = {}  # of the minute that is not over: events and late ones
        self._episodes: Final = Episodes("volume", MINUTE)  # of a service, and what is wrong with its telemetry

    def judge(self, tick: int, sums: TickSums) -> list[Finding]:
        """Count a tick, and return what the minutes that it ends bring to light."""
        return next(self.judge_steps([(tick, sums)]))

    def judge_steps(self, steps: Iterable[Tick]) -> Iterator[list[Finding]]:
        """Count steps, and yield what the minutes that each ends bring to light; one without sums lets time pass.

        A step is judged when it is asked for: until then `open_since` says what was known before it.
        """
        over = [self._count(tick, sums) for tick, sums in steps]
        lags = self._lags([minute for minutes in over for minute in minutes])
        for minutes in over:
            yield [finding for minute in minutes for finding in self._end(minute, lags.get(minute.number, []))]

    def _count(self, tick: int, sums: TickSums) -> list["_Minute"]:
        """Return the minutes that are over with the beginning of a tick, then count its events in its own."""
        minute = tick * self._tick_seconds // MINUTE
        if self._minute < 0 or minute - self._minute > MOST_SILENT_MINUTES:
            self._minute = minute
        over = []
        while self._minute < minute:
            promise = threshold(len(self.book), 86_400 / MINUTE, self._tickets)
            over.append(_Minute(self._minute, len(self.book), promise, self._events))
            if self._events and not self._off:
                self.book.note(np.array(sorted(self._events), np.int64), self._minute)
            self._minute, self._events = self._minute + 1, {}
        for group in sums:
            if not group.events:
                continue
            row = self.book.row((group.service_name,), (OTHER[1],))
            cell = self._events.setdefault(row, [0, 0])
            cell[0] += group.events
            cell[1] += group.late
        return over

    def _lags(self, over: list["_Minute"]) -> dict[int, list[Alarm | Recovery]]:
        """Return by minute in which services most events came late, or do so no more."""
        if over:
            self.lag.grow(np.full(over[-1].series - len(self.lag), USUALLY_LATE))
        busy = [] if self._off else [minute for minute in over if minute.events]
        if not busy:
            return {}
        cells = [(row, *minute.events[row]) for minute in busy for row in sorted(minute.events)]
        rows, events, late = np.array(cells, np.int64).T
        sizes = [len(minute.events) for minute in busy]
        sums = RateSums(
            np.array([minute.number for minute in busy], np.int64),
            np.cumsum([0, *sizes]),
            np.ascontiguousarray(rows),
            np.ones(len(rows)),
            (late >= LATE_SHARE * events).astype(np.float64),
            np.repeat([minute.promise for minute in busy], sizes),
        )
        found = self.lag.update_ticks(sums)
        by_minute: dict[int, list[Alarm | Recovery]] = {}
        items: list[Alarm | Recovery] = [*found.alarms, *found.recoveries]
        for item in items:
            by_minute.setdefault(item.tick, []).append(item)
        return by_minute

    def _end(self, minute: "_Minute", lags: list[Alarm | Recovery]) -> list[Finding]:
        self.volume.grow(minute.series - len(self.volume))
        if self._off or not minute.series:
            return []
        counts = np.zeros(minute.series)
        for row, (events, _) in minute.events.items():
            counts[row] = events
        found = self.volume.update(minute.number, counts, minute.promise)
        return [*map(self._volume_finding, found), *map(self._lag_finding, lags)]

    def open_since(self, service: str) -> str:
        """Return what is wrong with the telemetry of a service and since when, or nothing."""
        wrong = [(what, opened.onset_tick) for (of, what), opened in self._episodes if of == service]
        return ", ".join(f"{what} since {moment(onset, MINUTE)}" for what, onset in sorted(wrong))

    def _volume_finding(self, found: VolumeFinding) -> Finding:
        service = self.book.names[found.series][0]
        back = found.direction == "recovered"
        opened = next((what for (of, what), _ in self._episodes if of == service and what != "lagging"), "silent")
        return self._finding(
            (service, opened if back else found.direction),
            found.minute,
            found.onset_minute,
            f"{found.observed:.0f} events where about {found.expected:.0f} are usual",
            back=back,
            metric="volume",
            detector="volume_e_detector",
            e_value=found.e_value,
            details={"observed": float(found.observed), "expected": float(found.expected)},
        )

    def _lag_finding(self, found: Alarm | Recovery) -> Finding:
        return self._finding(
            (self.book.names[found.series][0], "lagging"),
            found.tick,
            found.tick if isinstance(found, Recovery) else found.onset_tick,
            f"in {found.flagged} of {found.trials} minutes most events came late",
            back=isinstance(found, Recovery),
            metric="lateness",
            detector="mixture_shiryaev_roberts",
            e_value=found.e_value,
            details={"late_minutes": float(found.flagged), "minutes": float(found.trials)},
        )

    def _finding(
        self, name: tuple[str, str], minute: int, onset: int, text: str, *, back: bool, **more: Any
    ) -> Finding:
        service, what = name
        state = "is as usual again" if back else f"{what} since about {moment(onset, MINUTE)}"
        more |= {
            "service_name": service,
            "family": "telemetry",
            "verdict": what,
            "evidence": f"telemetry of {service} {state}: {text}; rates over it are not to be trusted",
        }
        if back:
            return self._episodes.end(name, minute, onset, **more)
        return self._episodes.open(name, minute, onset, kind="telemetry", **more)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        cells = [(row, *cell) for row, cell in sorted(self._events.items())]
        return {
            "minute": np.array([self._minute]),
            "events": np.array(cells, np.int64).reshape(-1, 3),
            **prefixed("episodes_", self._episodes.state()),
            **prefixed("book_", self.book.state()),
            **prefixed("volume_", self.volume.state()),
            **prefixed("lag_", self.lag.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._minute = int(state["minute"][0])
        self._events = {row: [events, late] for row, events, late in state["events"].tolist()}
        self._episodes.restore(under("episodes_", state))
        self.book.restore(under("book_", state))
        self.volume.restore(under("volume_", state))
        self.lag.restore(under("lag_", state))
