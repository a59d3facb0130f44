"""Recorded events and stored windows, a block at a time: however long they are, little of them is held at once."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from schemas.events import Event
from schemas.fields import NANO
from schemas.sql import query
from schemas.windows import Window
from schemas.wire import decoder, encode
from streams.events.decode import Decoded, events_decoder
from streams.events.flags import Flags, event_flags
from streams.identifiers.guard import guard_of
from streams.replay.send import Progress, read
from streams.settings import Settings
from streams.store.ask import Parameters, ask
from streams.watch.blocks import Block
from streams.watch.counting import countable
from streams.watch.memory import Memory
from streams.watch.reduce import TickGroups, reduce_block
from streams.watch.ticks import PartitionTicks
from streams.watch.units import with_units

BATCH: Final = 4_000
AT_ONCE: Final = timedelta(hours=6)
"""Stored windows are asked for so much time at once: what the store may answer is limited, and so is our memory."""

WINDOWS_QUERY: Final = query("streams.replay", "windows")
PARTITIONS_QUERY: Final = "SELECT DISTINCT kafka_partition FROM window_messages ORDER BY kafka_partition FORMAT TSV"


@dataclass(slots=True)
class Line:
    """A recorded event as if it had just come from Kafka, written when it happened."""

    value: bytes
    offset: int
    timestamp: int
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """What a batch of recorded events comes to, whatever the policy: the events, and the ticks that they close."""

    decoded: Decoded
    flags: dict[type, Flags]
    block: Block
    ticks: list[TickGroups]
    events: int


def read_events(settings: Settings, files: Iterable[Path], progress: Progress = lambda *_: None) -> Iterator[Step]:
    """Yield recorded events batch by batch with the ticks that they close, as one partition.

    Raises
    ------
    ReplayError
        Where a file cannot be read.
    """
    decode = events_decoder(guard_of(settings))
    ticks = PartitionTicks(settings.tick_seconds * NANO, settings.lateness_seconds * NANO)
    memory = Memory(-(-settings.session_memory_seconds // settings.tick_seconds), settings.tick_seconds)
    for batch in _batches(read(files)):
        decoded = decode(batch)
        flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
        ticks.add(countable(decoded, flags, np.array([line.timestamp for line in batch], np.int64)))
        block = memory.versions.resolved(with_units(ticks.close()))
        yield Step(decoded, dict(flags), block, reduce_block(block, memory), len(batch))
        progress(batch[-1].offset + 1, ticks.newest or 0)
    if ticks.newest is not None:
        ticks.newest += (settings.lateness_seconds + settings.tick_seconds) * NANO  # nothing more will come
    block = memory.versions.resolved(with_units(ticks.close()))
    yield Step(Decoded({}, []), {}, block, reduce_block(block, memory), 0)


def _batches(events: Iterable[Event]) -> Iterator[list[Line]]:
    lines = (Line(encode(event), offset, -(-event.time_unix_nano // 1_000_000)) for offset, event in enumerate(events))
    while batch := list(itertools.islice(lines, BATCH)):
        yield batch


def window_partitions(settings: Settings) -> list[int]:
    """Return the partitions of which windows are stored."""
    return [int(line) for line in ask(settings, PARTITIONS_QUERY, "TSV").split()]


def stored_windows(
    settings: Settings, partition: int, period: tuple[datetime, datetime], progress: Progress = lambda *_: None
) -> Iterator[Window]:
    """Yield the stored windows of a partition in some time, in the order of their ticks."""
    decode, (since, until), count = decoder(Window), period, 0
    while since < until:
        end = min(since + AT_ONCE, until)
        asked: Parameters = {"partition": partition, "since": int(since.timestamp()), "until": int(end.timestamp())}
        for line in ask(settings, WINDOWS_QUERY, "JSONEachRow", asked).splitlines():
            window = decode(json.loads(line)["payload"].encode(), 0)
            assert isinstance(window, Window)  # noqa: S101
            yield window
            count += 1
        since = end
        progress(count, int(since.timestamp()) * NANO)
