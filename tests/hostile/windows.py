"""Windows for the tests, and what their reader knows."""

from dataclasses import dataclass

from schemas.windows import GroupSums, Window, partition_of
from streams.kafka.topics import TopicState
from streams.worker.plausible import Plausible

SOURCE = TopicState("inference.v1", "id", 4)
WINDOWS = TopicState("windows.v1", "other", 2)
SECONDS = 10
TICK = 177_000_000
SERVICE = next(name for name in ("a", "b", "c", "d", "e") if partition_of(name, WINDOWS.partitions) == 0)


@dataclass
class Record:
    """What is known of a record beside its window."""

    value: bytes = b""
    timestamp: int = (TICK + 3) * SECONDS * 1000
    offset: int = 0


def knowing(source=SOURCE, look=None):
    """Return what a reader knows that reads two partitions of windows of four."""
    return Plausible(SECONDS, source, WINDOWS, look or (lambda: source))


def window(groups=None, **fields):
    """Return a window that can be."""
    given = {
        "source_topic": SOURCE.name,
        "source_topic_id": SOURCE.topic_id,
        "source_partition": 0,
        "source_partitions": 4,
        "tick_seconds": SECONDS,
        "first_tick": TICK,
        "tick": TICK,
    }
    return Window(groups=[group()] if groups is None else groups, **given | fields)


def group(**fields):
    """Return the sums of a service that belongs to the first partition."""
    return GroupSums(tenant_id="t", model_version="m", **{"service_name": SERVICE, "events": 5} | fields)
