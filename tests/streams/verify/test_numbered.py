"""Letters that stand for a number of refused records: those are no holes, and nothing else is hidden by them."""

from datetime import UTC, datetime

import pytest

from schemas.fields import MAX_KEPT_BYTES
from streams.events.records import Refused
from streams.kafka.topics import TopicState
from streams.verify.findings import Counts
from streams.verify.offsets import check_offsets
from streams.worker.dead_letters import Letters
from streams.worker.faust_app import LogBatch
from tests.hostile.fleet import Record

pytestmark = pytest.mark.store

TOPIC = TopicState("inference.v1", "id", 1)
START, END = 100, 120
"""Offsets of the refused records."""


def letters():
    """Return the letters of twenty records that are too many of their source: one, which says how many they are."""
    subject = Letters("dead-letters.v1")
    records = tuple(Record(b'{"service_name":"wild"', 3_600_000, offset) for offset in range(START, END))
    subject._kept["wild"] = 1, MAX_KEPT_BYTES
    refused = [Refused(position, "not_json", "no") for position in range(len(records))]
    return list(subject.of(LogBatch(TOPIC, 0, records, lambda: None), refused))


def checked(client, rows, end):
    """Return the holes from the first offset to an end, over rows at some offsets and those letters."""
    when = datetime(2026, 3, 2, tzinfo=UTC)
    [letter] = letters()
    said = dict(letter.headers)
    names = ["time", "kafka_topic_id", "kafka_partition", "kafka_offset", "event_id"]
    client.insert("inferences", [[when, "id", 0, offset, f"e{offset}"] for offset in rows], column_names=names)
    names = ["time", "origin_topic_id", "origin_partition", "origin_offset", "reason", "detail"]
    row = [when, "id", 0, int(said["origin-offset"]), "not_json", said["detail"].decode()]
    client.insert("dead_letters", [row], column_names=names)
    counts = Counts("id", 0)

    def ask(query, given):
        found = client.query(query, parameters=given)
        return [dict(zip(found.column_names, each, strict=True)) for each in found.result_rows]

    return list(check_offsets(ask, counts, 0, end, set, final=False)), counts


def test_what_a_letter_numbers_is_there(client):
    """Twenty refused records of which one letter tells are twenty dead letters, and no hole."""
    holes, counts = checked(client, range(START), END)
    assert (holes, counts.rows, counts.dead_letters) == ([], START, END - START)


def test_what_no_letter_numbers_is_a_hole(client):
    """Before and behind what it stands for offsets are missing as before."""
    holes, _ = checked(client, range(START - 2), END + 3)
    assert [(hole.first, hole.last) for hole in holes] == [(START - 2, START - 1), (END, END + 2)]
