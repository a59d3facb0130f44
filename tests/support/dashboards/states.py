"""What a store may hold when a board is opened: nothing, a row of each kind, nothing optional, a week."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
from clickhouse_connect.driver.client import Client

import schemas
from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval, Telemetry
from schemas.tables import BASES
from streams.events.decode import Decoder, events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from tests.streams.events.test_decode import Record
from tests.support.dashboards import edges, history

EXAMPLES = Path(schemas.__file__).with_name("examples")
EXAMPLES_AT = datetime.fromtimestamp(1_770_000_000, UTC)
WEEK_UNTIL = datetime(2026, 3, 9, tzinfo=UTC)
EVENTS = (Inference, AgentStep, GuardVerdict, Retrieval, Telemetry)
BATCH = 12_000
SPANS = {"5 minutes": timedelta(minutes=5), "30 days": timedelta(days=30)}


@dataclass(frozen=True)
class State:
    """How a store is filled, and when it is looked at."""

    fill: Callable[[Client], None]
    until: datetime


def one_of_each() -> Iterator[tuple[type[msgspec.Struct], dict]]:
    """Yield the fullest example of each kind of record, of a service and a tenant with quotes in their names."""
    kinds = {table.kind.__struct_config__.tag: table.kind for table in BASES if table.kind}
    fullest: dict[type, dict] = {}
    for path in sorted(EXAMPLES.glob("*/v1/*.json")):
        example = json.loads(path.read_text())
        kind = kinds.get(example.get("event_type"))
        if kind is not None and len(example) > len(fullest.get(kind, {})):
            fullest[kind] = example | {"service_name": history.ODD_NAME}
            fullest[kind] |= {"tenant_id": "t'1"} if "tenant_id" in example else {}
    yield from fullest.items()


def bare(kind: type[msgspec.Struct], example: dict) -> dict:
    """Return an example without whatever its kind lets one leave out."""
    needed = {field.encode_name for field in msgspec.structs.fields(kind) if field.required}
    needed |= {"event_type", "to_version"}  # the second is asked for of a model that is rolled back
    return {name: value for name, value in example.items() if name in needed}


def write(client: Client, decoder: Decoder, lines: list[bytes], topic: str) -> None:
    """Write records as the history worker does."""
    writer = HistoryWriter(client)
    for first in range(0, len(lines), BATCH):
        part = lines[first : first + BATCH]
        origin = Origin(topic, topic, 0, np.arange(first, first + len(part)))
        decoded = decoder([Record(line, timestamp=int(WEEK_UNTIL.timestamp() * 1_000)) for line in part])
        assert not decoded.refused
        writer.write(origin, [rows for columns in decoded.kinds.values() for rows in rows_of(columns, origin)])


def write_examples(client: Client, *, whole: bool) -> None:
    """Write one record of each kind, a window and a dead letter."""
    for kind, example in one_of_each():
        decoder = events_decoder() if kind in EVENTS else Decoder(kind)
        line = json.dumps(example if whole else bare(kind, example)).encode()
        write(client, decoder, [line], str(kind.__struct_config__.tag))
    named = {"service_name": history.ODD_NAME, "metric": "cascade", "trials": 1, "late": 1} if whole else {}
    history.put(client, "windows", {"time": EXAMPLES_AT, "tick": 1} | named)
    named = {"reason": "not_json", "value": "{", "origin_topic": "inference.v1"} if whole else {}
    history.put(client, "dead_letters", {"time": EXAMPLES_AT, "origin_offset": 1} | named)


def write_bad(client: Client) -> None:
    """Write the bad day, with a finding for each table of findings."""
    history.write_all(client)
    at = history.BAD_UNTIL - timedelta(hours=9)
    history.put(client, "findings", *(history.finding(1, kind, at) for kind in ("severe_event", "version")))


def write_mended(client: Client) -> None:
    """Write the bad day and that it is over."""
    write_bad(client)
    history.write_recovery(client)


def write_week(client: Client) -> None:
    """Write the events of the week that the package ships for the demo."""
    packed = resources.files("streams.demo.recorded") / "week.jsonl.gz"
    write(client, events_decoder(), gzip.decompress(packed.read_bytes()).splitlines(), "week")


STATES = {
    "nothing": State(lambda _client: None, EXAMPLES_AT),
    "one row": State(lambda client: write_examples(client, whole=True), EXAMPLES_AT + timedelta(minutes=1)),
    "nothing optional": State(lambda client: write_examples(client, whole=False), EXAMPLES_AT + timedelta(minutes=1)),
    "the recorded week": State(write_week, WEEK_UNTIL),
    "a bad day": State(write_bad, history.BAD_UNTIL - timedelta(minutes=1)),
    "a mended day": State(write_mended, history.WELL_AGAIN - timedelta(minutes=1)),
    "just within": State(lambda client: edges.write_edges(client, beyond=False), edges.AT),
    "just beyond": State(lambda client: edges.write_edges(client, beyond=True), edges.AT),
}
