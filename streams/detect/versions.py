"""Versions of each service, of its models, prompts and indexes: tells when one is shown for the first time.

A fact, not a suspicion: whether somebody had said so is for the incidents worker to find out, which knows the
changes. What a service shows on its first day is what it came with.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.columns import prefixed, under
from schemas.findings import Finding
from schemas.windows import OTHER, UNKNOWN_VERSION
from streams.detect.tables import TableCounts
from streams.detect.watcher import Tick, TickSums
from streams.findings.evidence import moment
from streams.findings.finding import WHOLE, end_of, finding, start_of
from streams.findings.series import Room, SeriesBook, ticks_per_day
from streams.kafka.checkpoints import Arrays

if TYPE_CHECKING:
    from detectors.base import Floats, Ints
    from schemas.windows import GroupSums

ENOUGH: Final = 5
"""Events before a version counts as seen: fewer may be one try by hand, or a broken name."""

MODEL: Final = "model"

SHOWN: Final = 10
"""Other versions that a finding names, those seen last."""


class VersionWatch:
    """The versions of all services of one partition of the windows; a service itself is its version ``""``.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    max_series
        Services and versions that are followed.
    subject
        What has the versions: ``model``, or one of `schemas.quantities.VERSION_MIXES`.
    """

    def __init__(self, tick_seconds: int, max_series: int | Room, subject: str = MODEL) -> None:
        self._subject: Final = subject
        self._tick_seconds: Final = tick_seconds
        self._day: Final = ticks_per_day(tick_seconds)
        self.book: Final = SeriesBook(tick_seconds, max_series)
        self._events: Floats = np.empty(0)

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the versions that each tick shows for the first time."""
        of_ticks = [self._counts(sums) for _, sums in ticks]
        new = len(self.book) - len(self._events)
        self._events = np.append(self._events, np.zeros(new)) if new else self._events
        rare = set(np.flatnonzero(self._events < ENOUGH).tolist())
        found: list[list[Finding]] = []
        counts = TableCounts()
        for (tick, _), of_tick in zip(ticks, of_ticks, strict=True):
            counts.rows += of_tick
            counts.cells += [0] * len(of_tick)
            counts.amounts += of_tick.values()
            counts.end(tick)
            if rare.isdisjoint(of_tick) and len(found) < len(ticks) - 1:
                found.append([])
            else:
                found.append(self._noted(tick, counts, np.array(sorted(of_tick), np.int64)))
                counts = TableCounts()
        return found

    def _counts(self, sums: TickSums) -> dict[int, int]:
        """Return the events of a tick by series."""
        events: dict[tuple[str, str], int] = {}
        for group in sums:
            for version, amount in self._shown(group):
                if version and group.service_name != OTHER[1] and version not in (OTHER[2], UNKNOWN_VERSION):
                    name = group.service_name, version
                    events[name] = events.get(name, 0) + amount
        counts: dict[int, int] = {}
        for (service, version), amount in sorted(events.items()):
            for of in ((service, ""), (service, version)):
                row = self.book.row(of, (OTHER[1], ""))
                counts[row] = counts.get(row, 0) + amount
        return counts

    def _shown(self, group: "GroupSums") -> Iterable[tuple[str, int]]:
        """Return the versions that a group shows: events of its model, sessions of its prompts and indexes."""
        if self._subject == MODEL:
            return ((group.model_version, group.events),)
        return group.mixes.get(self._subject, {}).items()

    def _noted(self, tick: int, counts: TableCounts, rows: "Ints") -> list[Finding]:
        """Note ticks up to one, and return which of its series are seen for the first time."""
        sums = counts.sums(self.book, 1, 1.0)
        if sums is None:
            return []
        before = self._events[rows]
        np.add.at(self._events, sums.rows, sums.counts)
        passed = rows[(before < ENOUGH) & (self._events[rows] >= ENOUGH)]
        return [self._finding(tick, row) for row in passed.tolist() if self._is_news(row)]

    def _is_news(self, row: int) -> bool:
        """Tell whether the service had been seen for a day when the version came."""
        service, version = self.book.names[row]
        came = self.book.first_tick[row] - self.book.first_tick[self.book.find((service, ""))]
        return version != "" and bool(came >= self._day)

    def _finding(self, tick: int, row: int) -> Finding:
        service, version = self.book.names[row]
        others, of_model = self._others(service, version), self._subject == MODEL
        kind = "version" if of_model else f"{self._subject} version"
        first = int(self.book.first_tick[row])
        beside = f"; before it there were {', '.join(others)}" if others else ""
        return finding(
            ("version", service, version) if of_model else ("version", service, self._subject, version),
            end_of(tick, self._tick_seconds),
            kind="version",
            severity="info",
            service_name=service,
            tenant_id=WHOLE,
            model_version=version if of_model else None,
            metric=f"{self._subject}_version",
            family="change",
            onset_time_unix_nano=start_of(first, self._tick_seconds),
            detector="first_seen",
            versions=others if of_model else [version, *others],
            sample_size=int(self._events[row]),
            evidence=f"{service} shows {kind} {version} for the first time, since {moment(first, self._tick_seconds)}"
            f"{beside}",
        )

    def _others(self, service: str, version: str) -> list[str]:
        rows = [row for row, name in enumerate(self.book.names) if name[0] == service and name[1] not in ("", version)]
        rows.sort(key=lambda row: (-self.book.last_tick[row], row))
        return [self.book.names[row][1] for row in rows[:SHOWN]]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"events": self._events.copy(), **prefixed("book_", self.book.state())}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._events = state["events"].astype(np.float64)
        self.book.restore(under("book_", state))


def new_versions(book: SeriesBook, rows: Iterable[int], onset: int, tick_seconds: int) -> list[str]:
    """Return model versions of a service first seen in the day before a tick or since, of the series of its groups."""
    earliest: dict[str, int] = {}
    for row in rows:
        version, first = book.names[row][2], int(book.first_tick[row])
        if version and first >= 0:
            earliest[version] = min(first, earliest.get(version, first))
    oldest = min(earliest.values(), default=0)
    return [
        f"model version {version} first seen at tick {first}"
        for version, first in sorted(earliest.items())
        if first > oldest and first >= onset - ticks_per_day(tick_seconds)
    ][:20]
