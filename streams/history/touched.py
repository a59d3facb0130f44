"""Which minutes and hours of which partitions a commit touches, as queries take it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from schemas.fields import NANO
from streams.history.rows import Int64s, Origin

HOUR: Final = 3_600
MINUTE: Final = 60


@dataclass(slots=True)
class Touched:
    """Partitions of one topic, each with the offset up to which it is stored, and their minutes and hours.

    That offset is the version of what is computed anew: the highest version of a row is the one that counts.
    Minutes and hours are pairs of a partition and a start in Unix seconds.
    """

    topic_id: str
    versions: dict[int, int] = field(default_factory=dict)
    minutes: set[tuple[int, int]] = field(default_factory=set)
    hours: set[tuple[int, int]] = field(default_factory=set)

    def stored(self, origin: Origin) -> None:
        """Note that a batch is stored; the batches of a partition follow one another."""
        self.versions[origin.partition] = int(origin.offsets[-1])

    def touch_minutes(self, partition: int, times: Int64s) -> None:
        """Note the minutes of times, in Unix nanoseconds."""
        self.minutes |= {(partition, int(minute) * MINUTE) for minute in np.unique(times // (MINUTE * NANO))}

    def touch_hours(self, partition: int, seconds: Int64s) -> None:
        """Note the hours of times, in Unix seconds."""
        self.hours |= {(partition, int(hour) * HOUR) for hour in np.unique(seconds // HOUR)}

    def parameters(self) -> dict[str, Any]:
        """Return what `place.sql`, `minutes.sql`, `hours.sql` and `writer.sql` ask for."""
        starts = [start for _, start in self.hours]
        return {
            "topic_id": self.topic_id,
            "partitions": list(self.versions),
            "versions": list(self.versions.values()),
            "minutes": sorted(self.minutes),
            "hours": sorted(self.hours),
            "first": min(starts),
            "end": max(starts) + HOUR,
        }


def by_topic(origins: Iterable[Origin]) -> dict[str, Touched]:
    """Return what is touched so far by batches that are stored: no minute and no hour yet."""
    found: dict[str, Touched] = {}
    for origin in origins:
        found.setdefault(origin.topic_id, Touched(origin.topic_id)).stored(origin)
    return found
