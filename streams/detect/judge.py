"""Whole ticks to findings: a pure function of the sequence of ticks, made of independent ways of looking at them."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from detectors.columns import prefixed, under
from schemas.findings import Finding
from schemas.metrics import WATCHED
from schemas.quantities import MIXES, QUANTITIES, VERSION_MIXES
from streams.detect.attacks import AttackWatch
from streams.detect.behaviour import AgentMixWatch, AgentQuantityWatch
from streams.detect.canaries import CanaryWatch
from streams.detect.distributions import MixWatch, QuantityWatch
from streams.detect.fences import FenceWatch
from streams.detect.patterns import PatternWatch
from streams.detect.rates import RateWatch
from streams.detect.versions import MODEL, VersionWatch
from streams.detect.volume import TelemetryWatch
from streams.detect.watcher import Tick, TickSums
from streams.findings.series import Room, SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy

if TYPE_CHECKING:
    from streams.detect.watcher import Watcher


Step = tuple[Sequence[Tick], int]
"""Ticks that became whole together, and the tick up to which time has passed with them."""

Ends = dict[int, list[int]]
"""By how many ticks come before: the ticks up to which time has passed then."""

GROUPS_AT_ONCE: Final = 2_000
"""Groups of the ticks that are judged together: more makes none of them cheaper."""

OF_AGENTS: Final = 2
"""Ways of looking at agents: what others have to themselves for tickets, they share."""

A_TENTH: Final = 10

VERSIONED: Final = (MODEL, *VERSION_MIXES)
"""What has versions that are watched for new ones."""

OF_A_GROUP: Final = len(WATCHED) + 1
OF_A_SERVICE: Final = len(WATCHED) + len(QUANTITIES) + len(MIXES) + len(VERSIONED) + 1
"""Series that a group and a service can bring at most: rates, quantities, mixes, versions, the volume."""


class Judge:
    """The detectors of one partition of the windows.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    share
        This partition's share of the fleet's budget, 0 to 1.
    max_series
        Series that all detectors together follow; further ones are summed under ``~other``. Those of agents have room
        of their own, a tenth of it for mixes and a tenth for quantities, and cannot take that of others.
    policy
        What is allowed, and how often the detectors may be wrong.
    refused_limit
        Share of refused records from which a service is set aside.
    """

    def __init__(
        self, tick_seconds: int, share: float, max_series: int, policy: Policy, refused_limit: float = 0.2
    ) -> None:
        room = Room(max_series)
        self.rates: Final = RateWatch(tick_seconds, share, room, policy)
        self.quantities: Final = QuantityWatch(tick_seconds, share, room, policy)
        self.mixes: Final = MixWatch(tick_seconds, share, room, policy)
        agents = share / OF_AGENTS, max(max_series // A_TENTH, 1), policy
        self.agent_mixes: Final = AgentMixWatch(tick_seconds, *agents)
        self.agent_quantities: Final = AgentQuantityWatch(tick_seconds, *agents)
        self.telemetry: Final = TelemetryWatch(tick_seconds, share, room, policy)
        self.patterns: Final = PatternWatch(tick_seconds, share, policy)
        self.canaries: Final = CanaryWatch(tick_seconds, policy)
        self.versions: Final = {subject: VersionWatch(tick_seconds, room, subject) for subject in VERSIONED}
        self.fences: Final = FenceWatch(tick_seconds, refused_limit)
        self._room: Final = room
        self._watchers: Final[dict[str, Watcher]] = {
            "rates_": self.rates,
            "quantities_": self.quantities,
            "mixes_": self.mixes,
            "agent_mixes_": self.agent_mixes,
            "agent_quantities_": self.agent_quantities,
            "patterns_": self.patterns,
            "attacks_": AttackWatch(tick_seconds, policy),
            "canaries_": self.canaries,
            **{f"{subject}_versions_": watch for subject, watch in self.versions.items()},
        }

    def judge(self, tick: int, sums: TickSums) -> list[Finding]:
        """Return what one whole tick brings to light."""
        return self._judged([(tick, sums)], {})

    def judge_steps(self, steps: Sequence[Step]) -> list[Finding]:
        """Return what steps bring to light: the same as `judge` for each tick and `advance` after each step.

        Many ticks together cost far less than one by one.
        """
        found: list[Finding] = []
        ticks: list[Tick] = []
        ends: Ends = {}
        groups = 0
        for of_step, end in steps:
            ticks += of_step
            groups += sum(len(sums) for _, sums in of_step)
            ends.setdefault(len(ticks), []).append(end)
            if groups >= GROUPS_AT_ONCE:
                found += self._judged(ticks, ends)
                ticks, ends, groups = [], {}, 0
        return found + self._judged(ticks, ends)

    def _judged(self, ticks: list[Tick], ends: Ends) -> list[Finding]:
        if len(ticks) > 1 and not self._room.is_enough(_most_series(ticks)):
            # who comes first gets the last places, so ticks must come one by one
            of_ticks = [self._judged([tick], {1: ends.get(at, [])}) for at, tick in enumerate(ticks, 1)]
            return [*chain.from_iterable(map(self.advance, ends.get(0, []))), *chain.from_iterable(of_ticks)]
        of_watchers = [watcher.judge_ticks(ticks) for watcher in self._watchers.values()]
        steps = [*_steps(ticks, ends)]
        found = []
        of_steps = self.telemetry.judge_steps((tick, sums) for _, tick, sums in steps)
        for (number, tick, sums), of_step in zip(steps, of_steps, strict=True):
            if number is None:
                found += [*of_step, *self.fences.advance(tick)]
                continue
            of_tick = [*of_step, *chain.from_iterable(of_watcher[number] for of_watcher in of_watchers)]
            of_tick += self.fences.judge(tick, sums)
            found += [self._with_trust(finding) for finding in of_tick]
        return found

    def advance(self, tick: int) -> list[Finding]:
        """Return what the mere passing of time brings to light, up to a tick that every source has closed."""
        return [*self.telemetry.judge(tick, []), *self.fences.advance(tick)]

    def _with_trust(self, finding: Finding) -> Finding:
        """Say beside a finding that the telemetry it rests on is not whole."""
        if finding.family == "telemetry":
            return finding
        said = (watch.open_since(finding.service_name) for watch in (self.telemetry, self.fences))
        wrong = ", ".join(filter(None, said))
        if not wrong:
            return finding
        return replace(finding, evidence=f"{finding.evidence} (its telemetry is not whole: {wrong})")

    @property
    def series(self) -> int:
        """How many series are followed."""
        return sum(len(book) for book in self._books())

    @property
    def overflow(self) -> int:
        """How often a series was asked for that there was no room for."""
        return sum(book.overflow for book in self._books())

    def _books(self) -> Iterator[SeriesBook]:
        watchers = (self.telemetry, self.rates, self.quantities, self.mixes)
        yield from (watcher.book for watcher in watchers)
        yield from (watcher.book for watcher in self.versions.values())
        yield from (watcher.book for watcher in (self.agent_mixes, self.agent_quantities))
        yield from (compared.book for compared in self.canaries.compared.values())

    def _parts(self) -> "dict[str, Watcher | TelemetryWatch | FenceWatch]":
        return {"telemetry_": self.telemetry, **self._watchers, "fences_": self.fences}

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            name: array
            for prefix, watcher in self._parts().items()
            for name, array in prefixed(prefix, watcher.state()).items()
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        for prefix, watcher in self._parts().items():
            watcher.restore(under(prefix, state))


def _most_series(ticks: Sequence[Tick]) -> int:
    """Return how many series ticks can bring at most."""
    groups = {(each.tenant_id, each.service_name, each.model_version) for _, sums in ticks for each in sums}
    versions = sum(len(each.mixes.get(mix, ())) for _, sums in ticks for each in sums for mix in VERSION_MIXES)
    return OF_A_GROUP * len(groups) + OF_A_SERVICE * len({service for _, service, _ in groups}) + versions


def _steps(ticks: Sequence[Tick], ends: Ends) -> Iterator[tuple[int | None, int, TickSums]]:
    """Yield ticks with their numbers, and what is between them: the ticks up to which time has passed."""
    for number in range(len(ticks) + 1):
        yield from ((None, end, []) for end in ends.get(number, []))
        if number < len(ticks):
            yield number, *ticks[number]
