"""Windows held against what a reader knows by itself: whoever can write to the topic could say anything.

The contract says what a window looks like, this what it can be: of a partition there is, of a tick that is over, of
services that belong where it was found, with counts that a machine could have seen. What cannot be is set aside.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, Self

from schemas.quantities import BINS
from schemas.topics import INFERENCE, WINDOWS
from schemas.windows import (
    GUARD_COUNTS,
    MAX_GROUPS,
    MAX_NAMES,
    MAX_SAMPLES,
    MOST_BEHAVING,
    MOST_OWNERS,
    GroupSums,
    Window,
    partition_of,
)
from schemas.wire import InvalidRecordError
from streams.events.records import LogRecord
from streams.kafka.topics import TopicState, check_topics
from streams.settings import Settings
from streams.worker.parts import Parts

MOST_AHEAD_MS: Final = 60_000
"""A tick is over before its window is written; so far may the clocks of two brokers be apart."""

MOST_A_SECOND: Final = 1_000_000
"""Events of one source partition; ten times what one of them carries."""

MOST_IN_A_TICK: Final = MAX_GROUPS + 1 + MOST_BEHAVING + MOST_OWNERS + 1
"""Groups, the one of all others, those of what agents did, and those of refused records."""

MOST_TEXT: Final = 256


class Plausible:
    """What a reader of ``windows.v1`` knows.

    Parameters
    ----------
    tick_seconds
        Length of a tick here.
    source
        The topic that windows are made of.
    windows
        The topic of the windows.
    look
        Asks Kafka for the source topic again: it may have grown since.
    """

    def __init__(
        self, tick_seconds: int, source: TopicState, windows: TopicState, look: Callable[[], TopicState]
    ) -> None:
        self._tick_seconds: Final = tick_seconds
        self._source = source
        self._windows: Final = windows
        self._look: Final = look
        self._looked = False

    @classmethod
    def here(cls, parts: Parts) -> Self:
        """Return what the topics say that a worker found at its start."""
        settings, source = parts.settings, parts.topic(INFERENCE)
        look = partial(_seen_again, settings, source)
        return cls(settings.tick_seconds, source, parts.topic(WINDOWS), look)

    def begin(self) -> None:
        """Begin with records that have just been fetched: the topic may have grown before they were written."""
        self._looked = False

    def check(self, window: Window, record: LogRecord, partition: int) -> None:
        """Take a window that was found in a partition.

        Raises
        ------
        InvalidRecordError
            Where it cannot be, with what is wrong about it.
        """
        if found := self._wrong(window, record, partition):
            raise InvalidRecordError("implausible", found)

    def _wrong(self, window: Window, record: LogRecord, partition: int) -> str:
        found = self._origin(window)
        if found and not self._looked:
            self._looked, self._source = True, self._look()
            found = self._origin(window)
        return found or self._time(window, record) or self._groups(window, partition)

    def _origin(self, window: Window) -> str:
        source = self._source
        if (window.source_topic, window.source_topic_id) != (source.name, source.topic_id):
            return f"made of topic {window.source_topic[:100]}/{window.source_topic_id[:100]}, not of {source.name}"
        if not window.source_partition < window.source_partitions <= source.partitions:
            return (
                f"of partition {window.source_partition} of {window.source_partitions}, where there are "
                f"{source.partitions}"
            )
        return ""

    def _time(self, window: Window, record: LogRecord) -> str:
        if window.tick_seconds != self._tick_seconds:
            return f"ticks of {window.tick_seconds} s, where they are {self._tick_seconds} s"
        ahead = (window.tick + 1) * window.tick_seconds * 1_000 - record.timestamp
        if ahead > MOST_AHEAD_MS:
            return f"tick {window.tick} ends {ahead / 1000:.0f} s after the window was written"
        return "" if window.first_tick <= window.tick else "its first tick is after its last"

    def _groups(self, window: Window, partition: int) -> str:
        most = MOST_A_SECOND * self._tick_seconds
        if len(window.groups) > MOST_IN_A_TICK:
            return f"{len(window.groups)} groups; at most {MOST_IN_A_TICK}"
        for group in window.groups:
            if partition_of(group.service_name, self._windows.partitions) != partition:
                return f"service {group.service_name} belongs to another partition"
            if len(group.samples) > MAX_SAMPLES or any(
                len(text) > MOST_TEXT
                for sample in group.samples
                for text in (sample.event_id, sample.vector, sample.user or "")
            ):
                return f"more or larger samples of {group.service_name} than are taken"
            if max(_amounts(group)) > most:
                return f"more than {most} events of {group.service_name} in a tick"
            if found := _names(group):
                return f"{found} of {group.service_name}"
        return ""


def _seen_again(settings: Settings, known: TopicState) -> TopicState:
    return check_topics(settings, [INFERENCE]).get(known.name, known)


def _amounts(group: GroupSums) -> list[int]:
    """Return everything that a group counts."""
    amounts = [group.events, group.calls, group.late, group.refused, group.sampled_from, *group.guards.values()]
    for sums in group.rates.values():
        amounts += (sums.trials, sums.flagged, sums.events, sums.flagged_events)
    for each in (*group.quantities.values(), *group.mixes.values()):
        amounts += each.values()
    return amounts


def _names(group: GroupSums) -> str:
    if set(group.guards) - set(GUARD_COUNTS):
        return "unknown statuses of guards"
    if len(group.rates) + len(group.quantities) + len(group.mixes) > MOST_TEXT:
        return "more rates, quantities and mixes than there are"
    if any(not (at.isdecimal() and at.isascii() and len(at) < 5 and int(at) < BINS)
           for bins in group.quantities.values() for at in bins):  # fmt: skip
        return "a histogram with bins that there are not"
    if any(0 in each.values() for each in (*group.quantities.values(), *group.mixes.values())):
        return "a bin or name that was met no time"
    if any(
        len(names) > MAX_NAMES + 1 or any(len(name) > MOST_TEXT for name in names) for names in group.mixes.values()
    ):
        return "more or longer names in a mix than are counted"
    return ""
