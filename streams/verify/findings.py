"""What a comparison found: how much there was of each thing, and every hole."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Hole:
    """Something that one side has and the other has not.

    `first` and `last` are offsets, ticks or minutes (Unix seconds), as `unit` says; `expected` and `found` are counts.
    """

    what: str
    partition: int
    topic_id: str
    unit: str
    first: int
    last: int
    expected: int
    found: int
    detail: str = ""

    def text(self) -> str:
        """Return it as a line for people."""
        from streams.verify.times import shown

        number = self.last - self.first + 1
        where = {
            "offset": f"offset {self.first}" if number == 1 else f"offsets {self.first} to {self.last} ({number})",
            "tick": f"tick {self.first}" if number == 1 else f"ticks {self.first} to {self.last} ({number})",
            "minute": f"minute {shown(self.first)}",
            "hour": f"hour {shown(self.first)}",
        }[self.unit]
        detail = f", {self.detail}" if self.detail else ""
        return f"partition {self.partition}, {where}: {self.what}, {self.found} of {self.expected}{detail}"


@dataclass(slots=True)
class Counts:
    """How much of a partition was compared; None where nothing could be."""

    topic_id: str
    partition: int
    log: int | None = None
    rows: int = 0
    dead_letters: int = 0
    events: int = 0
    trials: int = 0
    flagged: int = 0
    window_events: int = 0
    window_trials: int = 0
    window_flagged: int = 0
    minute_events: int = 0
    not_yet_stored: int = 0
    not_yet_counted: int = 0


@dataclass(slots=True)
class Report:
    """The whole comparison."""

    counts: list[Counts] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether no hole was found."""
        return not self.holes

    def plain(self) -> dict[str, Any]:
        """Return it for machines."""
        return {"equal": self.equal, **asdict(self)}
