"""Ends a worker that reaches nothing of what it should read: exit rather than stall, and it is started again.

A worker without partitions may be a spare one, and waits in peace. What no other worker has, or what is assigned and
not read, nobody reads, while the process answers, sends its heartbeats and looks well. Each partition is watched for
itself: that others move says nothing about it.
"""

import asyncio
import faulthandler
import os
from collections.abc import Iterable
from typing import Any, Final, NoReturn

import faust
import structlog
from faust.exceptions import ConsumerNotStarted
from faust.types import TP
from kafka.errors import KafkaError

from streams.kafka.topics import KafkaUnavailableError, TopicState, admin, known_topics
from streams.settings import Settings
from streams.worker.reading import Reading

log: Final = structlog.get_logger()

PATIENCE_SECONDS: Final = 60.0
"""A rebalance, or the start of a broker, takes less."""

CHECK_SECONDS: Final = 2.0
HEAL_SECONDS: Final = 10.0
"""Every so often the log itself is asked for what is not read, and reading goes back to where it stopped."""

BUSY_SLOWER: Final = 10
"""Beside work in progress a partition may have to wait for its turn, and its patience lasts so much longer."""

TOPICS_SECONDS: Final = 20.0
"""How often it is asked whether topics are still those that the worker knows."""

REBALANCING: Final = {"PreparingRebalance", "CompletingRebalance"}


class Watchdog:
    """Looks whether a worker reads.

    Parameters
    ----------
    app
        The worker, whose id is its consumer group.
    settings
        How to ask the broker.
    topics
        What the group reads, by full name.
    reading
        How far it is.
    """

    def __init__(self, app: faust.App, settings: Settings, topics: dict[str, TopicState], reading: Reading) -> None:
        self._app: Final = app
        self._settings: Final = settings
        self._topics: Final = topics
        self._reading: Final = reading
        self._waited: dict[TP, float] = {}
        self._seen: dict[TP, int | None] = {}
        self._idle = 0.0

    async def watch(self) -> None:
        """Look again and again; ends the process where it does not read and the broker is well."""
        try:
            await asyncio.gather(self._watch_reading(), self._watch_topics())
        except Exception as error:  # noqa: BLE001  whatever it is, nobody would watch any more
            _end(f"watching failed: {error!r}")

    async def _watch_topics(self) -> None:
        """End a worker whose topics are not those that it began with: made anew, or with more partitions."""
        while True:
            await asyncio.sleep(TOPICS_SECONDS)
            if changed := await asyncio.to_thread(self._changed):
                _end(f"{', '.join(changed)} changed since the start: what the worker knows of it no longer holds")

    def _changed(self) -> list[str]:
        try:
            with admin(self._settings) as client:
                now = known_topics(client, self._settings)
        except (KafkaError, KafkaUnavailableError):
            return []
        return [name for name, state in self._topics.items() if name in now and now[name] != state]

    async def _watch_reading(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if not self._app.rebalancing:
                await self._look(self._assigned())

    async def _look(self, assigned: set[TP]) -> None:
        step = CHECK_SECONDS / BUSY_SLOWER if self._reading.turn.locked() else CHECK_SECONDS
        if assigned:
            await self._settle(assigned)
            assigned &= self._assigned()
        self._idle = 0.0 if assigned else self._idle + step
        before = self._waited
        self._waited = {tp: before.get(tp, 0.0) + step for tp in assigned if self._waits(tp)}
        for tp, waited in self._waited.items():
            if before.get(tp, 0.0) // HEAL_SECONDS < waited // HEAL_SECONDS:
                await self._heal(tp)
        if max([self._idle, *self._waited.values()]) >= PATIENCE_SECONDS:
            reason = await asyncio.to_thread(self._reason)
            await asyncio.sleep(CHECK_SECONDS)
            if reason and not self._app.rebalancing and not self._reads():  # partitions may have come at this moment
                _end(reason)

    async def _settle(self, assigned: set[TP]) -> None:
        """Restore what was assigned anew, also where no record comes to ask for it."""
        async with self._reading.turn:
            await self._reading.begin(self._app.consumer_generation_id)
            for tp in assigned:
                if tp.partition >= self._topics[tp.topic].partitions:
                    _end(f"{tp.topic} has more partitions than at the start")
                if not self._app.rebalancing:
                    await self._reading.place(self._topics[tp.topic], tp.partition)
                    await self._commit(tp)

    async def _commit(self, tp: TP) -> None:
        """Commit what a restored state covers: its predecessor may have died between the two, and nothing may come."""
        consumer, place = self._app.consumer, self._reading.covered(tp.topic, tp.partition)
        if place and place > (consumer._committed_offset.get(tp) or 0) and await consumer._commit({tp: place}):  # noqa: SLF001
            consumer._committed_offset[tp] = place  # noqa: SLF001

    def _waits(self, tp: TP) -> bool:
        """Tell whether there are records of a partition that have not been read since the last look."""
        end, place = self._end_of(tp), self._reading.next_offset(tp.topic, tp.partition)
        before, self._seen[tp] = self._seen.get(tp, place), place
        return before == place and (end is None or place is None or end > place)

    async def _heal(self, tp: TP) -> None:
        """Go back to where reading stopped, if the log has something there."""
        end, topic = self._end_of(tp), self._topics[tp.topic]
        async with self._reading.turn:
            if end is not None and await self._reading.missing(topic, tp.partition, end):
                log.warning("records are not delivered; reading goes back", topic=tp.topic, partition=tp.partition)
                await self._app.consumer.seek(tp, await self._reading.place(topic, tp.partition))

    def _end_of(self, tp: TP) -> int | None:
        """Return where the log of a partition ends, as far as it was fetched."""
        try:
            return self._app.consumer.highwater(tp)
        except AssertionError:  # the client's word for a partition that was taken away at this moment
            return None

    def _assigned(self) -> set[TP]:
        try:
            return {tp for tp in self._app.consumer.assignment() if tp.topic in self._topics}
        except ConsumerNotStarted:
            return set()

    def _reads(self) -> bool:
        """Tell whether every partition that is assigned is read by now."""
        assigned = self._assigned()
        return bool(assigned) and not any(self._waits(tp) for tp in assigned)

    def _reason(self) -> str | None:
        """Return why this worker is of no use, or None where it is a spare one or the broker is to blame."""
        try:
            with admin(self._settings) as client:
                group = client.describe_groups([self._app.conf.id])[self._app.conf.id]
        except (KafkaError, KafkaUnavailableError):
            return None
        if self._assigned():
            return f"{_names((tp.topic, tp.partition) for tp in self._waited)} is not read"
        wanted = {(topic.name, number) for topic in self._topics.values() for number in range(topic.partitions)}
        unread = wanted - _read_by_others(group["members"], self._app.conf.consumer_group_instance_id)
        if group["error"] or group["group_state"] in REBALANCING or not unread:
            return None
        return f"no other worker has {_names(unread)}"


def _names(partitions: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{topic}/{number}" for topic, number in sorted(partitions))


def _read_by_others(members: Iterable[dict[str, Any]], instance: str) -> set[tuple[str, int]]:
    return {
        (assigned["topic"], number)
        for member in members
        if member["group_instance_id"] != instance
        for assigned in member["member_assignment"]["assigned_partitions"]
        for number in assigned["partitions"]
    }


def _end(reason: str) -> NoReturn:
    """Leave without a goodbye, which might hang too; work is safe against that, as against a kill."""
    log.error("the worker does not read and ends", reason=reason)
    faulthandler.dump_traceback()
    os._exit(os.EX_SOFTWARE)
