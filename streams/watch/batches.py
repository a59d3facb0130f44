"""A batch of events as columns, ready to be counted."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.quantities import QUANTITIES
from schemas.windows import Group
from streams.events.labels import NOTHING, Named
from streams.watch.single.acts import NO_ACTS, Acts

Int64s = npt.NDArray[np.int64]
UInt64s = npt.NDArray[np.uint64]
UInt32s = npt.NDArray[np.uint32]
UInt8s = npt.NDArray[np.uint8]
Float32s = npt.NDArray[np.float32]


MEASURES: Final = (*(quantity.name for quantity in QUANTITIES), "argument_bytes", "result_bytes")
"""The columns of `EventColumns.measures`: what is binned, and what else tells one event from the others."""

KEYS: Final = 3
"""Ways to find an event: its id, the id of its response, its span."""

EVENT: Final = 0
VERDICT: Final = 1
"""A verdict that travels alone: an event of its own, whose trials and flags count with what it judged."""


@dataclass(frozen=True, slots=True)
class EventColumns:
    """What counting needs of a batch of events, in log order; every array has one entry an event.

    `row` is the event's place in its batch, `group` indexes the `Batch.groups` beside it; `trials` and `flagged` are
    bit sets over `schemas.metrics.RATES`; `measures` has a column for each of `MEASURES`, NaN
    where there is none; `late` is filled in by the ticks; `risk` is that of `streams.events.risk`, without the tier.
    An event that is not `counted` only moves the watermark. `source` indexes `Batch.sources`. `asked` indexes
    `Batch.models`, -1 where no model was asked for, and `sure` says how far the version of the group is known
    (`streams.events.versions`). `keys` are the names by which a verdict that travels alone finds the event that it
    judged, 0 where there is none; those of a verdict, whose `role` is `VERDICT`, are of what it judged.
    """

    time: Int64s
    row: Int64s
    group: Int64s
    session: UInt64s
    trace: UInt64s
    trials: UInt32s
    flagged: UInt32s
    call: UInt8s
    measures: Float32s
    late: UInt8s
    counted: UInt8s
    risk: Float32s
    source: Int64s
    asked: Int64s
    sure: UInt8s
    keys: UInt64s
    role: UInt8s

    def take(self, rows: Int64s | slice) -> "EventColumns":
        """Return the chosen rows; a slice gives views."""
        return EventColumns(*(getattr(self, column.name)[rows] for column in fields(self)))

    @staticmethod
    def concatenate(parts: "Sequence[EventColumns]") -> "EventColumns":
        """Return the rows of all parts, in order."""
        if len(parts) == 1:
            return parts[0]
        return EventColumns(
            *(np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(parts[0]))
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """What may be shown of events, in log order: texts that only travel with the few that are chosen."""

    event_id: pa.Array
    user: pa.Array
    vector: pa.Array


@dataclass(frozen=True, slots=True)
class Batch:
    """Events ready to be counted; codes are local to it, and so are the rows of guard results and labels."""

    events: EventColumns
    groups: Sequence[Group]
    guards: Named
    labels: Named
    label_names: Sequence[str]
    shown: Shown
    sources: Sequence[str] = ()
    models: Sequence[str] = ()
    acts: Acts = NO_ACTS


def no_events() -> Batch:
    """Return a batch of nothing."""
    none, small = np.empty(0, np.int64), np.empty(0, np.uint8)
    key, bits, real = np.empty(0, np.uint64), np.empty(0, np.uint32), np.empty(0, np.float32)
    wide = np.empty((0, len(MEASURES)), np.float32)
    names = np.empty((0, KEYS), np.uint64)
    events = EventColumns(
        none, none, none, key, key, bits, bits, small, wide, small, small, real, none, none, small, names, small
    )
    return Batch(events, (), NOTHING, NOTHING, (), Shown(*(pa.array([], pa.string()) for _ in range(3))))
