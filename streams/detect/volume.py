"""Sources that fall silent, flood or lag: findings about the telemetry, never about safety.

A rate over telemetry that is not whole is not to be trusted; `open_since` says since when, and the judge puts it
beside every other finding of the service.
"""

from typing import Final

import numpy as np

from detectors.base import Alarm, Recovery
from detectors.budget import threshold
from detectors.columns import prefixed, under
from detectors.rates.detector import RateDetector
from detectors.volume.detector import VolumeFinding, VolumeWatch
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.windows import OTHER
from streams.detect.watcher import TickSums
from streams.findings.evidence import moment
from streams.findings.identity import VERSION, WHOLE, identity
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


class TelemetryWatch:
    """How many events each service of one partition of the windows sends a minute, and whether they come in time."""

    def __init__(self, tick_seconds: int, share: float, max_series: int | Room, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._off: Final = policy.detectors.volume == "off"
        self._tickets: Final = policy.budget.tickets_per_day * share
        self.book: Final = SeriesBook(MINUTE, max_series)
        self.volume = VolumeWatch()
        self.lag = RateDetector(MINUTE)
        self._minute = -1
        self._events: dict[int, list[int]] = {}  # of the minute that is not over: events and late ones
        self._opened: dict[tuple[int, str], tuple[str, int]] = {}  # (series, what) -> finding, minute of its onset

    def judge(self, tick: int, sums: TickSums) -> list[Finding]:
        """Count a tick, and return what the minutes that it ends bring to light."""
        found = self.advance(tick)
        for group in sums:
            if not group.events:
                continue
            row = self.book.row((group.service_name,), (OTHER[1],))
            cell = self._events.setdefault(row, [0, 0])
            cell[0] += group.events
            cell[1] += group.late
        return found

    def advance(self, tick: int) -> list[Finding]:
        """Let time pass up to a tick, and return what the minutes that are over bring to light."""
        minute = tick * self._tick_seconds // MINUTE
        if self._minute < 0 or minute - self._minute > MOST_SILENT_MINUTES:
            self._minute = minute
        found = []
        while self._minute < minute:
            found += self._end_minute()
            self._minute += 1
        return found

    def _end_minute(self) -> list[Finding]:
        count = len(self.book)
        self.volume.grow(count - len(self.volume))
        self.lag.grow(np.full(count - len(self.lag), USUALLY_LATE))
        counts = np.zeros(count)
        rows = np.array(sorted(self._events), np.int64)
        cells = np.array([self._events[row] for row in rows.tolist()], np.float64).reshape(-1, 2)
        self._events = {}
        if self._off or not count:
            return []
        counts[rows] = cells[:, 0]
        self.book.note(rows, self._minute)
        promise = threshold(count, 86_400 / MINUTE, self._tickets)  # a silent minute counts as well as a busy one
        late = (cells[:, 1] >= LATE_SHARE * cells[:, 0]).astype(np.float64)
        lag = self.lag.update(self._minute, rows, np.ones(len(rows)), late, promise)
        lags: list[Alarm | Recovery] = [*lag.alarms, *lag.recoveries]
        return [
            *(self._volume_finding(finding) for finding in self.volume.update(self._minute, counts, promise)),
            *(self._lag_finding(finding) for finding in lags),
        ]

    def open_since(self, service: str) -> str:
        """Return what is wrong with the telemetry of a service and since when, or nothing."""
        row = self.book.find((service,))
        wrong = [(what, onset) for (at, what), (_, onset) in self._opened.items() if at == row]
        return ", ".join(f"{what} since {moment(onset, MINUTE)}" for what, onset in sorted(wrong))

    def _volume_finding(self, found: VolumeFinding) -> Finding:
        service = self.book.names[found.series][0]
        back = found.direction == "recovered"
        opened = next((what for (row, what) in self._opened if row == found.series and what != "lagging"), "silent")
        what = opened if back else found.direction
        numbers = {"observed": float(found.observed), "expected": float(found.expected)}
        text = f"{found.observed:.0f} events where about {found.expected:.0f} are usual"
        return self._finding(
            service, found.series, what, back, (found.onset_minute, found.minute), (found.e_value, text), numbers
        )

    def _lag_finding(self, found: Alarm | Recovery) -> Finding:
        service = self.book.names[found.series][0]
        back = isinstance(found, Recovery)
        onset = found.tick if isinstance(found, Recovery) else found.onset_tick
        text = f"in {found.flagged} of {found.trials} minutes most events came late"
        numbers = {"late_minutes": float(found.flagged), "minutes": float(found.trials)}
        return self._finding(
            service, found.series, "lagging", back, (onset, found.tick), (found.e_value, text), numbers
        )

    def _finding(
        self, service: str, row: int, what: str, back: bool, minutes: tuple[int, int], proof: tuple[float, str],  # noqa: FBT001
        details: dict[str, float],
    ) -> Finding:  # fmt: skip
        onset, minute = minutes
        finding_id = identity("telemetry", service, what, minute, back)
        opened = self._opened.pop((row, what), (None, 0))[0] if back else None
        if not back:
            self._opened[row, what] = (finding_id, onset)
        state = "is as usual again" if back else f"{what} since about {moment(onset, MINUTE)}"
        return Finding(
            finding_id=finding_id,
            kind="recovery" if back else "telemetry",
            severity="info" if back else "ticket",
            service_name=service,
            tenant_id=WHOLE,
            model_version=WHOLE,
            metric="volume" if what != "lagging" else "lateness",
            family="telemetry",
            detected_time_unix_nano=(minute + 1) * MINUTE * NANO,
            onset_time_unix_nano=onset * MINUTE * NANO,
            detector="volume_e_detector" if what != "lagging" else "mixture_shiryaev_roberts",
            detector_version=VERSION,
            e_value=min(proof[0], 1e300),
            opened_finding_id=opened,
            verdict=what,
            details=details,
            evidence=f"telemetry of {service} {state}: {proof[1]}; rates over it are not to be trusted",
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        opened = [(str(row), what, finding, str(onset)) for (row, what), (finding, onset) in self._opened.items()]
        cells = [(row, *cell) for row, cell in sorted(self._events.items())]
        return {
            "minute": np.array([self._minute]),
            "events": np.array(cells, np.int64).reshape(-1, 3),
            "opened": np.array(opened, np.str_).reshape(-1, 4),
            **prefixed("book_", self.book.state()),
            **prefixed("volume_", self.volume.state()),
            **prefixed("lag_", self.lag.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._minute = int(state["minute"][0])
        self._events = {row: [events, late] for row, events, late in state["events"].tolist()}
        self._opened = {
            (int(row), what): (finding, int(onset)) for row, what, finding, onset in state["opened"].tolist()
        }
        self.book.restore(under("book_", state))
        self.volume = VolumeWatch.from_state(under("volume_", state))
        self.lag = RateDetector.from_state(under("lag_", state), MINUTE)
