"""Whether the store holds what history has acknowledged: a store that was lost or restored is not the one before.

Offsets live in Kafka and rows in the store. Where the store was lost, history would go on behind what it has
acknowledged and nobody would notice that all before is gone.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.tables import AGENT_STEPS, GUARD_VERDICTS, INFERENCES, RETRIEVALS, TELEMETRY, Table
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import TopicState, admin, client_arguments, known_topics
from streams.settings import Settings
from streams.store.client import rows

LOOKED_AT: Final = 500
"""Records before the acknowledged offset that are looked at; one of them that gives a row is proof enough."""
EVENTS: Final = (INFERENCES, AGENT_STEPS, RETRIEVALS, GUARD_VERDICTS, TELEMETRY)

GivesRows = Callable[[TopicState, int, Sequence[Any]], bool]
"""Tells whether any of some records of a partition is one that history stores as a row."""


class Lost(NamedTuple):
    """What is missing of one partition: from an offset on, up to the acknowledged one, which is not in it."""

    topic: str
    partition: int
    first: int
    end: int


def lost(settings: Settings, client: Client, tables: dict[str, tuple[Table, ...]], gives_rows: GivesRows) -> list[Lost]:
    """Return the partitions of which acknowledged records are missing although Kafka still holds them.

    Parameters
    ----------
    tables
        Full names of topics, and the tables that their records become rows of.
    """
    group = f"{settings.topic_prefix}watchkeeper-history"
    with admin(settings) as kafka:
        states = known_topics(kafka, settings)
        committed = {
            (tp.topic, tp.partition): int(meta.offset)
            for tp, meta in kafka.list_group_offsets({group: None})[group].items()
            if tp.topic in tables and tp.topic in states and meta.offset > 0
        }
    stored = _stored(client, tables, states)
    suspicious = {
        (topic, number): (stored.get((states[topic].topic_id, number), -1) + 1, end)
        for (topic, number), end in committed.items()
        if stored.get((states[topic].topic_id, number), -1) + 1 < end
    }
    if not suspicious:
        return []
    return asyncio.run(_proven(settings, suspicious, states, gives_rows))


def _stored(
    client: Client, tables: dict[str, tuple[Table, ...]], states: dict[str, TopicState]
) -> dict[tuple[str, int], int]:
    """Return the last offset that is stored of each topic id and partition."""
    names = sorted({table.name for topic in tables.values() for table in topic})
    union = " UNION ALL ".join(
        f"SELECT kafka_topic_id, kafka_partition, max(kafka_offset) AS last FROM {name}"
        " WHERE kafka_topic_id IN {ids:Array(String)} GROUP BY kafka_topic_id, kafka_partition"
        for name in names
    )
    query = f"SELECT kafka_topic_id, kafka_partition, max(last) FROM ({union}) GROUP BY kafka_topic_id, kafka_partition"
    ids = [states[name].topic_id for name in tables if name in states]
    return {(str(topic_id), int(number)): int(last) for topic_id, number, last in rows(client, query, {"ids": ids})}


async def _proven(
    settings: Settings,
    suspicious: dict[tuple[str, int], tuple[int, int]],
    states: dict[str, TopicState],
    gives_rows: GivesRows,
) -> list[Lost]:
    """Return those of which Kafka holds a record that should be a row: what was refused or is empty never was one."""
    found: list[Lost] = []
    log = LogReader(client_arguments(settings))
    for (topic, number), (first, end) in sorted(suspicious.items()):
        begin = max(first, (await log.bounds(topic, number)).begin)
        records = await log.between(topic, number, max(begin, end - LOOKED_AT), end, LOOKED_AT)
        if records and gives_rows(states[topic], number, records):
            found.append(Lost(topic, number, begin, end))
    return found
