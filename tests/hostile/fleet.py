"""A partition of events in memory: what watch makes of a log, in batches cut anywhere."""

from dataclasses import dataclass

import numpy as np

from schemas.events import Inference
from schemas.fields import NANO
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.watch.counting import countable, highest_before
from streams.watch.memory import Memory
from streams.watch.names import Names
from streams.watch.reduce import reduce_block
from streams.watch.ticks import PartitionTicks
from streams.worker.dead_letters import owner_of

SECONDS = 10
START = 1_770_000_000


@dataclass
class Record:
    """A record of the log."""

    value: bytes
    timestamp: int
    offset: int = 0
    headers: tuple = ()


def event(second, service, number=0, source="s", **fields):
    """Return a good record, written a second after its event."""
    given = Inference(
        event_id=f"{service}/{second}/{number}", source=source, time_unix_nano=(START + second) * NANO,
        service_name=service, **fields,
    )  # fmt: skip
    return Record(encode(given), (START + second + 1) * 1000)


def junk(second, service="rogue"):
    """Return a record of a service that the contract refuses."""
    record = event(second, service)
    return Record(record.value.replace(b'"s"', b"7"), record.timestamp)


def windows(records, size=500):
    """Return the sums of every closed tick of a log."""
    decode, ticks = events_decoder(), PartitionTicks(SECONDS * NANO, SECONDS * NANO)
    names, memory, found = Names(SECONDS), Memory(3, 10), {}
    for start in range(0, len(records), size):
        batch = records[start : start + size]
        decoded = decode(batch)
        written = np.array([record.timestamp for record in batch])
        before = highest_before(decoded, written, ticks.newest)
        flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
        ticks.add(countable(decoded, flags, written))
        at = [item.position for item in decoded.refused]
        ticks.refuse([owner_of(batch[position], 0) for position in at], before[at])
        found |= reduce_block(names.admitted(ticks.close()), memory)
    return found
