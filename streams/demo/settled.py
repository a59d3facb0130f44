"""How far the demo is, judged by what moves and never by how long it takes: pure, from what Kafka says.

Kafka knows for each worker what it has committed and where the log ends that it reads. A worker commits when its work
is durable, so when nothing is left of anything, all that was sent is stored, counted, judged and folded.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

STUCK_SECONDS: Final = 300.0
"""With nothing at all moving for this long, nothing more is expected to."""

STILL_SECONDS: Final = 15.0
"""A worker that has work and has committed nothing for this long is asked how it is; it may be at a long batch."""

RATE_SECONDS: Final = 60.0
"""Workers commit in lumps: what they did lately is taken over this long."""

UNITS: Final = {
    "history": "records",
    "watch": "events",
    "detect": "windows",
    "incidents": "findings and actions",
    "normalise": "spans and logs",
}


class NotReadError(RuntimeError):
    """Something has not been read yet and is not going to be soon; the message says what."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known at one moment: records done and left by worker, and events sent so far.

    `at` is in seconds, of any steady clock. Without `left` Kafka did not answer.
    """

    at: float
    sent: int = 0
    done: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def settled(self) -> bool:
        """Tell whether nothing is left to do for anybody.

        >>> Look(0, 5, {"watch": 5}, {"watch": 0}).settled, Look(0, 5, {"watch": 4}, {"watch": 1}).settled
        (True, False)
        >>> Look(0).settled
        False
        """
        return bool(self.left) and not any(self.left.values())


class Progress:
    """What moves, over one look after the other.

    Parameters
    ----------
    now
        When it begins.

    Examples
    --------
    >>> progress = Progress(0.0)
    >>> for second in range(11):
    ...     progress.note(Look(second, 9_000, {"watch": 9_000, "detect": 310 * second},
    ...                        {"watch": 0, "detect": 9_300 - 310 * second}))
    >>> progress.waiting()
    'waiting for detect: 6,200 windows left, 310/s, about 20 s'
    >>> progress.note(Look(40.0, 9_000, {"watch": 9_000, "detect": 3_100}, {"watch": 0, "detect": 6_200}))
    >>> progress.waiting(), progress.still(40.0), progress.stuck(40.0)
    ('waiting for detect: 6,200 windows left, still for 30 s', 30.0, ['detect'])
    """

    def __init__(self, now: float) -> None:
        self.last = Look(now)
        self._moved = now
        self._worked: dict[str, float] = {}
        self._looks: deque[Look] = deque()

    def note(self, look: Look) -> None:
        """Take the next look."""
        before, self.last = self.last, look
        if look.sent != before.sent:
            self._moved = look.at
        if not look.left:
            return
        known = self._looks[-1] if self._looks else None
        for worker, done in look.done.items():
            if known is None or known.done.get(worker) != done or not known.left.get(worker):
                self._worked[worker] = look.at
        if known is None or (known.done, known.left) != (look.done, look.left):
            self._moved = look.at
        self._looks.append(look)
        while len(self._looks) > 1 and look.at - self._looks[0].at > RATE_SECONDS:
            self._looks.popleft()

    def still(self, now: float) -> float:
        """Return for how many seconds nothing has moved."""
        return now - self._moved

    def stuck(self, now: float) -> list[str]:
        """Return the workers that have work and have not moved for a while."""
        left = self._looks[-1].left if self._looks else {}
        return [name for name, amount in left.items() if amount and now - self._worked[name] >= STILL_SECONDS]

    def unread(self) -> list[str]:
        """Return, for each worker, what it has not read yet."""
        left = self._looks[-1].left if self._looks else {}
        return [f"{name}: {amount:,} {UNITS.get(name, 'records')}" for name, amount in left.items() if amount]

    def waiting(self) -> str:
        """Return in one line what is waited for, and how far each worker is."""
        if not self.last.left:
            return "waiting for Kafka to answer"
        said = [self._worker(name, left) for name, left in self.last.left.items() if left]
        return f"waiting for {'; '.join(said)}" if said else "nothing is left to read"

    def _worker(self, name: str, left: int) -> str:
        text = f"{name}: {left:,} {UNITS.get(name, 'records')} left"
        first, last = self._looks[0], self._looks[-1]
        rate = (last.done[name] - first.done.get(name, 0)) / (last.at - first.at) if last.at > first.at else 0.0
        if (still := self.last.at - self._worked[name]) >= STILL_SECONDS:
            return f"{text}, still for {still:.0f} s"
        return f"{text}, {rate:,.0f}/s, about {left / rate:,.0f} s" if rate > 0 else text
