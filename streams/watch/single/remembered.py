"""Traces that rules along a trace remember: for an hour after the latest step of each, and so many of them."""

from typing import Final, Generic, Protocol, TypeVar

from streams.kafka.checkpoints import Arrays, decoded, encoded

REMEMBERED_SECONDS: Final = 3_600
MOST_TRACES: Final = 20_000
"""Traces of a partition; beyond it those are forgotten in which nothing came for longest."""


class Dated(Protocol):
    """What says in which tick it was met last."""

    tick: int


T = TypeVar("T", bound=Dated)


class Remembered(Generic[T]):
    """What is known of the traces of one partition: a function of the ticks that it has closed.

    Parameters
    ----------
    kind
        A struct of msgspec.
    tick_seconds
        Length of a tick.
    """

    def __init__(self, kind: type[T], tick_seconds: int) -> None:
        self._kind: Final = kind
        self._ticks: Final = -(-REMEMBERED_SECONDS // tick_seconds)
        self._known: dict[int, T] = {}  # by trace, those that were met longest ago first

    def take(self, trace: int, tick: int) -> T | None:
        """Take out what is known of a trace in a tick, to be kept again; ticks come in their order."""
        while self._known:
            oldest = next(iter(self._known))
            if len(self._known) <= MOST_TRACES and self._known[oldest].tick > tick - self._ticks:
                break
            del self._known[oldest]
        return self._known.pop(trace, None)

    def keep(self, trace: int, known: T) -> None:
        """Keep what is known of a trace."""
        self._known[trace] = known

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"traces": encoded(list(self._known.items()))}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        if state:
            self._known = dict(decoded(state["traces"], list[tuple[int, self._kind]]))  # type: ignore[name-defined]
