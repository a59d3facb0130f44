"""What a watcher has found and has not seen end."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.findings import Finding, Kind, Severity
from streams.findings.finding import WHOLE, end_of, finding, start_of
from streams.findings.series import Name
from streams.kafka.checkpoints import Arrays, decoded, encoded


class Opened(msgspec.Struct, frozen=True, array_like=True):
    """A finding that is open: its identity and severity, and the tick since when it is so."""

    finding_id: str
    severity: Severity
    onset_tick: int


class Episodes:
    """The open findings of one way of looking, each under a name of its own; what opens one and what ends it.

    Parameters
    ----------
    way
        What tells its findings from those of others.
    tick_seconds
        Length of a tick.
    """

    def __init__(self, way: str, tick_seconds: int) -> None:
        self._way: Final = way
        self._tick_seconds: Final = tick_seconds
        self._open: dict[Name, Opened] = {}

    def __contains__(self, name: Name) -> bool:
        return name in self._open

    def __iter__(self) -> Iterator[tuple[Name, Opened]]:
        """Yield the names of what is open, and what is known of it, in the order in which it opened."""
        return iter(tuple(self._open.items()))

    def open(
        self, name: Name, tick: int, onset_tick: int, *, kind: Kind, severity: Severity = "ticket", **more: Any
    ) -> Finding:
        """Return the finding that opens an episode; `more` are its other fields."""
        made = self._finding(name, tick, onset_tick, back=False, kind=kind, severity=severity, **more)
        self._open[name] = Opened(made.finding_id, severity, onset_tick)
        return made

    def end(self, name: Name, tick: int, onset_tick: int, **more: Any) -> Finding:
        """Return the finding that an episode is over, also where nobody knows any more what had opened it."""
        opened = self._open.pop(name, None)
        before = opened.finding_id if opened else None
        return self._finding(
            name, tick, onset_tick, back=True, kind="recovery", severity="info", opened_finding_id=before, **more
        )

    def _finding(self, name: Name, tick: int, onset_tick: int, *, back: bool, **more: Any) -> Finding:
        """Return a finding; where `more` does not say of whom, of all tenants and versions."""
        return finding(
            (self._way, *name, tick, back),
            end_of(tick, self._tick_seconds),
            onset_time_unix_nano=start_of(onset_tick, self._tick_seconds),
            **{"tenant_id": WHOLE, "model_version": WHOLE} | more,
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"open": encoded(list(self._open.items()))}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._open = dict(decoded(state["open"], list[tuple[Name, Opened]]))
