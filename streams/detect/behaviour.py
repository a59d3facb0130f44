"""What each agent does: tickets where it takes other steps, takes them in another order, or takes more or fewer."""

from collections import Counter
from typing import Any, ClassVar, Final

from detectors.columns import prefixed, under
from detectors.distributions.mixes import Swing
from schemas.findings import Finding
from schemas.quantities import AGENT_MIXES, AGENT_QUANTITIES, Quantity
from schemas.windows import OF_AGENT, OTHER
from streams.detect.distributions import MixWatch, QuantityWatch
from streams.detect.tables import LatestCounts, TableCounts
from streams.findings.evidence import Move, agent_query, describe_behaviour, moment, whose
from streams.findings.finding import end_of, start_of
from streams.findings.series import SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy

MOST_AGENTS: Final = 50
"""Agents of a service that are followed, those that came first; the others are one."""

GREW: Final = 3
FELL: Final = 2
"""Names that a finding shows at most."""

MOVED: Final = 0.01
"""By how much the share of a name has moved that is shown."""


class _Places:
    """Which series a mix or quantity of an agent is: its own, that of the service's other agents, or that of all."""

    def __init__(self, book: SeriesBook) -> None:
        self._book: Final = book
        self._counted = 0
        self._agents: Counter[tuple[str, ...]] = Counter()  # by service and name, how many are followed

    def row(self, service: str, name: str, agent: str) -> int:
        row = self._book.find((service, name, agent))
        if row >= 0:
            return row
        if self._counted != len(self._book):
            self._agents, self._counted = Counter(known[:2] for known in self._book.names), len(self._book)
        agent = OTHER[1] if self._agents[service, name] >= MOST_AGENTS else agent
        return self._book.row((service, name, agent), (OTHER[1], name, OTHER[1]))


class AgentQuantityWatch(QuantityWatch):
    """The quantities of all agents of one partition of the windows."""

    WAY: ClassVar = "agent_quantity"
    KNOWN: ClassVar[dict[str, Quantity]] = {quantity.name: quantity for quantity in AGENT_QUANTITIES}

    def __init__(self, tick_seconds: int, share: float, max_series: int, policy: Policy) -> None:
        super().__init__(tick_seconds, share, max_series, policy)
        self._places: Final = _Places(self.book)

    def _row(self, service: str, name: str) -> int:
        name, _, agent = name.partition(OF_AGENT)
        return self._places.row(service, name, agent) if name in self.KNOWN and name not in self._off else -1


class AgentMixWatch(MixWatch):
    """The mixes of all agents of one partition of the windows: their steps, and which step follows which."""

    WAY: ClassVar = "agent_mix"
    SLOTS: ClassVar = 40

    def __init__(self, tick_seconds: int, share: float, max_series: int, policy: Policy) -> None:
        super().__init__(tick_seconds, share, max_series, policy)
        self._places: Final = _Places(self.book)
        self._latest: Final = LatestCounts(self.SLOTS)

    def _row(self, service: str, mix: str) -> int:
        mix, _, agent = mix.partition(OF_AGENT)
        return self._places.row(service, mix, agent) if mix in AGENT_MIXES and mix not in self._off else -1

    def _judged(self, counts: TableCounts) -> list[tuple[int, Finding]]:
        """Return what ticks bring to light, each told by the counts up to its own tick."""
        sums = counts.sums(self.book, self.SLOTS, self._tickets)
        if sums is None:
            return []
        swings, found = self.detector.update_ticks(sums), []
        for number, tick in enumerate(sums.ticks.tolist()):
            part = slice(sums.starts[number], sums.starts[number + 1])
            self._latest.note(tick, sums.rows[part], sums.cells[part], sums.counts[part])
            found += [(tick, self._finding(swing)) for swing in swings if swing.tick == tick]
        return found

    def _told(self, swing: Swing) -> dict[str, Any]:
        service, mix, agent = self.book.names[swing.series]
        who = whose(service, agent)
        if swing.back:
            return {"verdict": None, "evidence": f"{mix} of {who} is as before again"}
        moves, seen = self._moves(swing)
        since = start_of(swing.onset_tick, self._tick_seconds), end_of(swing.tick, self._tick_seconds)
        grew, fell = ([move for move in moves if by * (move.now - move.before) >= MOVED] for by in (1, -1))
        shown = (grew or moves[:1])[:GREW]
        return {
            "verdict": shown[0].name[:200] if shown else None,
            "evidence": describe_behaviour(
                [*shown, *reversed(fell[-FELL:])],
                who, mix, moment(swing.onset_tick, self._tick_seconds),
            ),
            "evidence_sql": agent_query(service, agent, mix, *since),
            "sample_size": seen,
            "details": {"share": shown[0].now, "share_before": shown[0].before} if shown else None,
        }  # fmt: skip

    def _moves(self, swing: Swing) -> tuple[list[Move], int]:
        """Return the shares of names before a change and since, what gave the alarm first; and of how many they are."""
        now = self._latest.since(swing.series, swing.onset_tick)
        total = max(float(now.sum()), 1.0)
        slots = self._slots[swing.series]
        moves = [Move(name, swing.shares[slot], float(now[slot] / total)) for name, slot in slots.items()]
        sightings, new = self._sightings[swing.series], int(now[0])
        new = min(new, len(sightings))
        older, newer = Counter(sightings[: len(sightings) - new]), Counter(sightings[len(sightings) - new :])
        unknown = swing.shares[0] / max(older.total(), 1)
        moves += [Move(name, older[name] * unknown, seen / total) for name, seen in newer.items()]
        alarming = newer if swing.slot == 0 else {name for name, slot in slots.items() if slot == swing.slot}
        moves.sort(key=lambda move: (move.name not in alarming, move.before - move.now, move.name))
        return moves, int(now.sum())

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return super().state() | prefixed("latest_", self._latest.state())

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        super().restore(state)
        self._latest.restore(under("latest_", state))
