"""Quantities and mixes of each service: tickets where their distribution has changed."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
from river.sketch import HeavyHitters

from detectors.columns import prefixed, under
from detectors.distributions.mixes import MixDetector, Swing
from detectors.distributions.quantities import QuantityDetector, Shift
from schemas.findings import Finding
from schemas.quantities import BINS, MIXES, QUANTITIES, Quantity
from schemas.windows import OTHER
from streams.detect.merge import added_names
from streams.detect.tables import TableCounts
from streams.detect.watcher import Tick, TickSums, by_tick
from streams.events.bins import middle_of
from streams.findings.episodes import Episodes
from streams.findings.evidence import describe_shift, describe_swing, whose
from streams.findings.series import Room, SeriesBook
from streams.kafka.checkpoints import Arrays, decoded, encoded
from streams.policy.policy import Policy

SLOTS: Final = 24
NEWCOMERS: Final = 256
"""Latest sightings of unknown names that are kept of a series."""

PROMOTED: Final = 20
"""Sightings among those that give a name a place of its own, once the hour."""


class QuantityWatch:
    """The quantities of all services of one partition of the windows; a service is one series a quantity."""

    WAY: ClassVar = "quantity"
    KNOWN: ClassVar[dict[str, Quantity]] = {quantity.name: quantity for quantity in QUANTITIES}

    def __init__(self, tick_seconds: int, share: float, max_series: int | Room, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._tickets: Final = policy.budget.tickets_per_day * share
        self._off: Final = {name for name, level in policy.detectors.quantities.items() if level == "off"}
        self.book: Final = SeriesBook(tick_seconds, max_series)
        self.detector: Final = QuantityDetector(tick_seconds, BINS)
        self._episodes: Final = Episodes(self.WAY, tick_seconds)

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the quantities whose distribution each tick shows to have changed, or to be back."""
        counts = TableCounts()
        for tick, sums in ticks:
            for group in sums:
                for name, histogram in group.quantities.items():
                    if (row := self._row(group.service_name, name)) >= 0:
                        counts.rows += [row] * len(histogram)
                        counts.cells += [min(int(at), BINS - 1) for at in histogram]
                        counts.amounts += histogram.values()
            counts.end(tick)
        self.detector.grow(len(self.book) - len(self.detector))
        found = counts.sums(self.book, BINS, self._tickets)
        shifts = [] if found is None else self.detector.update_ticks(found)
        return by_tick(ticks, [(shift.tick, self._finding(shift)) for shift in shifts])

    def _row(self, service: str, name: str) -> int:
        """Return the row of a quantity of a service, -1 where it is not watched."""
        return self.book.row((service, name), (OTHER[1], name)) if name in self.KNOWN and name not in self._off else -1

    def _finding(self, shift: Shift) -> Finding:
        service, name, *agent = self.book.names[shift.series]
        quantity = self.KNOWN[name]
        median, before = middle_of(np.array([shift.median, shift.before]), quantity.scale).tolist()
        episode = self.book.names[shift.series], shift.tick, shift.onset_tick
        fields: dict[str, Any] = {
            "service_name": service,
            "metric": name,
            "family": "quantity",
            "detector": "quantile_bin_shiryaev_roberts",
            "direction": shift.direction if shift.direction in ("up", "down") else None,
            "e_value": shift.e_value,
            "promise": shift.promise,
            "sample_size": shift.events,
            "details": {"median": median, "median_before": before},
            "evidence": describe_shift(shift, whose(service, *agent), quantity, median, before, self._tick_seconds),
        }
        if shift.back:
            return self._episodes.end(*episode, **fields)
        return self._episodes.open(*episode, kind="quantity", **fields)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            **prefixed("episodes_", self._episodes.state()),
            **prefixed("book_", self.book.state()),
            **prefixed("detector_", self.detector.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._episodes.restore(under("episodes_", state))
        self.book.restore(under("book_", state))
        self.detector.restore(under("detector_", state))


class MixWatch:
    """The mixes of all services of one partition of the windows.

    Names are given slots as they become common; River's `HeavyHitters` says which of the unknown ones those are.
    It is fed from the latest sightings, which are what is stored: its own pickle would not survive a release.
    """

    WAY: ClassVar = "mix"
    SLOTS: ClassVar = SLOTS

    def __init__(self, tick_seconds: int, share: float, max_series: int | Room, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._tickets: Final = policy.budget.tickets_per_day * share
        self._off: Final = {name for name, level in policy.detectors.mixes.items() if level == "off"}
        self.book: Final = SeriesBook(tick_seconds, max_series)
        self.detector: Final = MixDetector(tick_seconds, self.SLOTS)
        self._episodes: Final = Episodes(self.WAY, tick_seconds)
        self._slots: list[dict[str, int]] = []
        self._sightings: list[list[str]] = []

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the mixes in which each tick shows a share to have risen, or to be back.

        Who the unknown are, and which of them gets a place of its own, follows from the ticks before: so these are
        judged before a tick with unknown names is looked at.
        """
        counts, found = TableCounts(), []
        for tick, sums in ticks:
            of_names = self._names(sums)
            if not all(names.keys() <= self._slots[row].keys() for row, names in of_names.items()):
                found += self._judged(counts)
                counts = TableCounts()
            for row, names in of_names.items():
                counts.rows += [row] * len(names)
                counts.cells += [self._slot(row, *item) for item in sorted(names.items())]
                counts.amounts += [amount for _, amount in sorted(names.items())]
            counts.end(tick)
        return by_tick(ticks, found + self._judged(counts))

    def _judged(self, counts: TableCounts) -> list[tuple[int, Finding]]:
        sums = counts.sums(self.book, self.SLOTS, self._tickets)
        return (
            [] if sums is None else [(swing.tick, self._finding(swing)) for swing in self.detector.update_ticks(sums)]
        )

    def _names(self, sums: TickSums) -> dict[int, dict[str, int]]:
        """Return the counts of names by series."""
        found: dict[int, dict[str, int]] = {}
        for group in sums:
            for mix, names in group.mixes.items():
                if (row := self._row(group.service_name, mix)) >= 0:
                    before = found.get(row)
                    found[row] = names if before is None else added_names([{"": before}, {"": names}])[""]
        self._grow()
        return found

    def _row(self, service: str, mix: str) -> int:
        """Return the row of a mix of a service, -1 where it is not watched."""
        return self.book.row((service, mix), (OTHER[1], mix)) if mix in MIXES and mix not in self._off else -1

    def _grow(self) -> None:
        if new := len(self.book) - len(self.detector):
            self.detector.grow(new)
            self._slots += [{} for _ in range(new)]
            self._sightings += [[] for _ in range(new)]

    def _slot(self, row: int, name: str, amount: int) -> int:
        """Return the slot of a name, 0 for an unknown one; one that is seen often gets its own when nothing is open."""
        slots = self._slots[row]
        if name in slots:
            return slots[name]
        seen = self._sightings[row]
        seen += [name] * min(amount, NEWCOMERS)
        del seen[:-NEWCOMERS]
        often = seen.count(name)
        if often < PROMOTED or len(slots) + 1 >= self.SLOTS or self.detector.is_open(row) or name == OTHER[1]:
            return 0
        slots[name] = slot = len(slots) + 1
        self.detector.use(row, slot, often - amount)
        self._sightings[row] = [other for other in seen if other != name]
        return slot

    def newcomer(self, row: int) -> str:
        """Return the unknown name that was seen most lately."""
        hitters = HeavyHitters(support=0.02, epsilon=0.05)
        for name in self._sightings[row]:
            hitters.update(name)
        ranked = hitters.most_common(1)
        return str(ranked[0][0]) if ranked else "?"

    def _finding(self, swing: Swing) -> Finding:
        name = self.book.names[swing.series]
        episode = name, swing.tick, swing.onset_tick
        fields: dict[str, Any] = {
            "service_name": name[0],
            "metric": name[1],
            "family": "mix",
            "detector": "multinomial_shiryaev_roberts",
            "direction": "down" if swing.back else "up",
            "e_value": swing.e_value,
            "promise": swing.promise,
            "baseline": swing.before,
            **self._told(swing),
        }
        if swing.back:
            return self._episodes.end(*episode, **fields)
        return self._episodes.open(*episode, kind="mix", **fields)

    def _told(self, swing: Swing) -> dict[str, Any]:
        """Return the fields of a finding that say which name it is about."""
        service, mix = self.book.names[swing.series]
        known = {slot: name for name, slot in self._slots[swing.series].items()}
        name = known.get(swing.slot) or self.newcomer(swing.series)
        return {
            "verdict": name[:200],
            "evidence": describe_swing(swing, service, mix, name, self._tick_seconds),
        }

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "names": encoded((self._slots, self._sightings)),
            **prefixed("episodes_", self._episodes.state()),
            **prefixed("book_", self.book.state()),
            **prefixed("detector_", self.detector.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._slots, self._sightings = decoded(state["names"], tuple[list[dict[str, int]], list[list[str]]])
        self._episodes.restore(under("episodes_", state))
        self.book.restore(under("book_", state))
        self.detector.restore(under("detector_", state))
