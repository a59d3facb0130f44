"""What is known of the partitions of one number: those of spans and of logs, where a trace meets."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from streams.dialects.otlp import Record, Rules, Traces
from streams.dialects.translation import Event
from streams.normalise.published import Published


@dataclass(frozen=True, slots=True)
class _Held:
    """A batch of which something may still wait, and until when at most."""

    until: int
    ack: Callable[[], object]


class Partition:
    """Traces that wait, and the batches that they came in.

    Time is that of the records, as the broker stamped them, so that traces wait as long when the log is read again;
    where nothing comes it passes by itself.

    Parameters
    ----------
    clock
        Nanoseconds that never go back.
    """

    def __init__(self, number: int, rules: Rules, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.number: Final = number
        self.published: Final = Published(number)
        self.begun = False
        self._wait: Final = rules.wait_nano + rules.settle_nano
        self._traces: Final = Traces(rules)
        self._clock: Final = clock
        self._time, self._heard = 0, clock()
        self._held: deque[_Held] = deque()

    def add(self, records: list[Record], written_ms: int) -> list[Event]:
        """Take the records of a moment, and return the events that earlier ones have become."""
        written = written_ms * 1_000_000
        if written > self._time:
            self._time, self._heard = written, self._clock()
        return self._traces.add(records, self._time)

    def passed(self) -> list[Event]:
        """Let time pass, and return the events of what has waited long enough."""
        now = self._clock()
        self._time, self._heard = self._time + max(now - self._heard, 1), now
        return self._traces.add((), self._time)

    def hold(self, ack: Callable[[], object]) -> None:
        """Keep a batch whose records were just added, and `passed`, until nothing of it waits."""
        self._held.append(_Held(self._time + self._wait, ack))

    def acknowledge(self) -> None:
        """Acknowledge the batches of which nothing waits any more; what has come of them is out."""
        while self._held and self._held[0].until <= self._time:
            self._held.popleft().ack()
