"""Ends a worker that reaches nothing of what it should read: exit rather than stall, and it is started again.

A worker without partitions may be a spare one, and waits in peace. What no other worker has, or what is
assigned and never fetched, nobody reads, while the process answers, sends its heartbeats and looks well.
"""

import asyncio
import faulthandler
import os
import time
from collections.abc import Iterable
from typing import Any, Final, NoReturn

import faust
import structlog
from faust.exceptions import ConsumerNotStarted
from kafka.errors import KafkaError

from streams.kafka_admin import KafkaUnavailableError, TopicState, admin
from streams.settings import Settings

log: Final = structlog.get_logger()

PATIENCE_SECONDS: Final = 60.0
"""A rebalance, or the start of a broker, takes less."""

CHECK_SECONDS: Final = 5.0
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
        What the group reads.
    """

    def __init__(self, app: faust.App, settings: Settings, topics: Iterable[TopicState]) -> None:
        self._app: Final = app
        self._settings: Final = settings
        self._wanted: Final = {(topic.name, number) for topic in topics for number in range(topic.partitions)}

    async def watch(self) -> None:
        """Look again and again; ends the process where it reads nothing and the broker is well."""
        since = time.monotonic()
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if self._reads():
                since = time.monotonic()
            elif time.monotonic() - since >= PATIENCE_SECONDS:
                reason = await asyncio.to_thread(self._reason)
                await asyncio.sleep(CHECK_SECONDS)  # partitions may have come at this moment
                if reason and not self._reads():
                    _end(reason)

    def _reads(self) -> bool:
        """Tell whether the broker has answered a fetch of at least one partition."""
        consumer = self._app.consumer
        try:
            return any(consumer.highwater(tp) is not None for tp in consumer.assignment())
        except ConsumerNotStarted:
            return False

    def _reason(self) -> str | None:
        """Return why this worker is of no use, or None where it is a spare one or the broker is to blame."""
        try:
            with admin(self._settings) as client:
                group = client.describe_groups([self._app.conf.id])[self._app.conf.id]
        except (KafkaError, KafkaUnavailableError):
            return None
        if self._app.consumer.assignment():
            return "nothing of its partitions is fetched"
        unread = self._wanted - _read_by_others(group["members"], self._app.conf.consumer_group_instance_id)
        if group["error"] or group["group_state"] in REBALANCING or not unread:
            return None
        return f"no other worker has {', '.join(f'{topic}/{number}' for topic, number in sorted(unread))}"


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
    log.error("the worker reads nothing and ends", reason=reason)
    faulthandler.dump_traceback()
    os._exit(os.EX_SOFTWARE)
