"""Heads of audit logs are rows of the store, which a verifier takes as it takes those of Kafka."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.topics import AUDIT_HEADS, DEAD_LETTERS
from streams.audit.log import AuditLog, entry
from streams.audit.signing import public_key, signed
from streams.audit.verifier import Check, Head, lines_of, split
from streams.history.taken import head_rows
from streams.history.worker import origin_of
from streams.kafka.publisher import Message
from streams.kafka.sending import send_all
from streams.kafka.topics import TopicState
from streams.settings import load
from streams.store.client import rows
from streams.worker.faust_app import LogBatch
from tests.hostile.fleet import Record
from tests.support.both_paths import history

NOW_MS = 1_780_000_000_000
TIME = "2026-05-28T20:26:40+00:00"
GOOD = {"log": "1", "sequence": 3, "hash": "ab", "time": TIME}
BAD = {
    "sequence": [0, -1, 2**63, 1.5, True, "3", None],
    "time": ["", "yesterday", "1066-10-14T09:00:00+00:00", "2026-05-29T20:26:40+00:00", "9999-12-31T23:59:59+00:00", 5],
    "log": ["\ud800", "a\0", 1],
    "hash": ["\udfff", "\0"],
    "key": [1],
}


def taken(*values):
    """Return what heads come to, as they travel."""
    records = tuple(Record(value, NOW_MS, at) for at, value in enumerate(values))
    return head_rows(
        batch := LogBatch(TopicState("audit-heads.v1", "id", 1), 0, records, lambda: None), origin_of(batch)
    )


def line(**values):
    """Return a head in the form in which it travels, whatever it says."""
    said = {"head": GOOD | values, "signature": "s"}
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def test_a_head_that_is_none_is_refused_and_the_rest_is_stored():
    """Numbers, times and texts that a column can't hold, or that are not from now, are dead letters with a reason."""
    bad = [line(**{name: value}) for name, values in BAD.items() for value in values]
    found = taken(line(), *bad, b"", b"{}", b"[" * 100_000, line(sequence=4))
    assert [each.position for each in found.refused] == [*range(1, len(bad) + 4)]
    [part] = found.rows
    assert part.columns.column("sequence").to_pylist() == [3, 4]
    assert part.columns.column("time").to_pylist()[0].isoformat() == TIME
    assert part.offset.tolist() == [0, len(bad) + 4]


@given(
    st.binary()
    | st.builds(lambda said: line(**said), st.dictionaries(st.sampled_from(list(GOOD)), st.text() | st.integers()))
)
def test_whatever_the_topic_holds_is_a_row_or_refused(value):
    """Nothing else comes of it, and nothing is raised."""
    found = taken(value)
    assert len(found.refused) + sum(part.columns.num_rows for part in found.rows) == 1


@pytest.mark.store
def test_a_log_is_verified_by_what_the_store_holds_of_it(kafka_settings, store_settings, client, tmp_path):
    """Signed heads go to ClickHouse, a repeat as one row; their lines prove the log, and show that it was cut."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    settings, house = kafka_settings.model_copy(update=store), load(hash_key="house")
    log, heads = AuditLog(tmp_path / "audit", "1"), []
    for number in range(3):
        log.append([entry("access", status=number)])
        heads.append(signed(house, Head("1", *log.end(), TIME, "")))
    values = [*(head.line() for head in heads), b"no head"]
    name = settings.topic(AUDIT_HEADS.name)
    send_all(settings, AUDIT_HEADS, [Message(name, value, b"1") for value in values])
    for _ in range(2):
        asyncio.run(history(settings, [AUDIT_HEADS]))
    asyncio.run(history(settings, [DEAD_LETTERS]))
    asked = "SELECT line FROM audit_heads FINAL ORDER BY sequence"
    kept = tmp_path / "heads.jsonl"
    kept.write_text("".join(f"{text}\n" for (text,) in rows(client, asked)))
    assert split([kept])[0] == heads
    assert rows(client, "SELECT origin_topic, reason FROM dead_letters FINAL") == [(name, "invalid")]
    lines = [each for file, size in log.parts() for each in lines_of(file, size)]
    for left, wanted in ((lines, []), (lines[:2], ["the log was cut"])):
        check = Check(split([kept])[0], [public_key(house).encode()])
        check.run(left)
        assert [each.text[:15] for each in check.faults] == wanted
        assert check.proven == len(left)
