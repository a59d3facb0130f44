"""Whole ticks to findings: a pure function of the sequence of ticks, made of independent ways of looking at them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from detectors.columns import prefixed, under
from schemas.findings import Finding
from streams.detect.canaries import CanaryWatch
from streams.detect.distributions import MixWatch, QuantityWatch
from streams.detect.fences import FenceWatch
from streams.detect.patterns import PatternWatch
from streams.detect.rates import RateWatch
from streams.detect.versions import VersionWatch
from streams.detect.volume import TelemetryWatch
from streams.detect.watcher import TickSums
from streams.findings.series import Room, SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy

if TYPE_CHECKING:
    from streams.detect.watcher import Watcher


class Judge:
    """The detectors of one partition of the windows.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    share
        This partition's share of the fleet's budget, 0 to 1.
    max_series
        Series that all detectors together follow; further ones are summed under ``~other``.
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
        self.telemetry: Final = TelemetryWatch(tick_seconds, share, room, policy)
        self.patterns: Final = PatternWatch(tick_seconds, share, policy)
        self.canaries: Final = CanaryWatch(tick_seconds, policy)
        self.versions: Final = VersionWatch(tick_seconds, room)
        self.fences: Final = FenceWatch(tick_seconds, refused_limit)
        self._watchers: Final[dict[str, Watcher]] = {
            "telemetry_": self.telemetry,
            "rates_": self.rates,
            "quantities_": self.quantities,
            "mixes_": self.mixes,
            "patterns_": self.patterns,
            "canaries_": self.canaries,
            "versions_": self.versions,
            "fences_": self.fences,
        }

    def judge(self, tick: int, sums: TickSums) -> list[Finding]:
        """Return what one whole tick brings to light."""
        found = [finding for watcher in self._watchers.values() for finding in watcher.judge(tick, sums)]
        return [self._with_trust(finding) for finding in found]

    def advance(self, tick: int) -> list[Finding]:
        """Return what the mere passing of time brings to light, up to a tick that every source has closed."""
        return [*self.telemetry.advance(tick), *self.fences.advance(tick)]

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
        watchers = (self.telemetry, self.rates, self.quantities, self.mixes, self.versions)
        yield from (watcher.book for watcher in watchers)
        yield from (compared.book for compared in self.canaries.compared.values())

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            name: array
            for prefix, watcher in self._watchers.items()
            for name, array in prefixed(prefix, watcher.state()).items()
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        for prefix, watcher in self._watchers.items():
            watcher.restore(under(prefix, state))
