"""Every example is decoded, stored and written again as its name says."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

import schemas
from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.evaluations import EvaluationRun
from schemas.events import Event
from schemas.findings import Finding
from schemas.incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from schemas.json_schema import FOLDER, KINDS, breaking, schema
from schemas.reviews import ReviewItem, ReviewLabel
from schemas.triage import Triage
from schemas.windows import Window
from schemas.wire import InvalidRecordError, decoder, encode
from streams.events.decode import Decoder, events_decoder
from streams.history.rows import Origin, rows_of
from tests.streams.events.test_decode import NOW_MS, Record

ROOT = Path(schemas.__file__).with_name("examples")
CARRIES = {
    "inference.v1": Event, "changes.v1": Change, "reviews.v1": ReviewLabel, "incidents.v1": IncidentTransition,
    "findings.v1": Finding, "windows.v1": Window, "incident-actions.v1": IncidentAction, "controls.v1": Control,
    "evidence.v1": IncidentEvidence, "deliveries.v1": Delivery, "review-queue.v1": ReviewItem,
    "triage.v1": Triage, "erasures.v1": Erasure, "evaluations.v1": EvaluationRun,
}  # fmt: skip
VALID = sorted(path for path in ROOT.rglob("*.json") if path.parent.name != "invalid")
INVALID = sorted(path for path in ROOT.rglob("invalid/*.json"))


def name(path):
    """Return a short id of an example."""
    return str(path.relative_to(ROOT))


def topic(path):
    """Return the topic an example belongs to."""
    return path.relative_to(ROOT).parts[0]


def compact(path):
    """Return an example as it travels."""
    return json.dumps(json.loads(path.read_text()), separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("path", VALID, ids=name)
def test_valid_examples_survive_the_round_trip(path):
    """Decoding and encoding an example twice gives the same record."""
    decode = decoder(CARRIES[topic(path)])
    record = decode(compact(path), NOW_MS * 1_000_000)
    assert decode(encode(record), NOW_MS * 1_000_000) == record


@pytest.mark.parametrize("path", [path for path in VALID if topic(path) != "windows.v1"], ids=name)
def test_valid_examples_become_rows(path):
    """Each example gives a row in the table of its kind, with its origin."""
    decode = events_decoder() if topic(path) == "inference.v1" else Decoder(CARRIES[topic(path)])
    decoded = decode([Record(compact(path))])
    assert not decoded.refused
    rows = [part for columns in decoded.kinds.values() for part in rows_of(columns, Origin("t", "i", 3, np.array([9])))]
    assert rows[-1].columns.column("kafka_offset").to_pylist() == [9]
    assert rows[-1].columns.column("kafka_partition").to_pylist() == [3]


@pytest.mark.parametrize("path", INVALID, ids=name)
def test_invalid_examples_are_refused_for_the_reason_in_their_name(path):
    """The reason before the dashes is the reason given, in both lanes."""
    reason = path.name.split("--")[0]
    accepted = CARRIES[topic(path)]
    with pytest.raises(InvalidRecordError) as caught:
        decoder(accepted)(compact(path), NOW_MS * 1_000_000)
    assert caught.value.reason == reason
    if topic(path) == "inference.v1":
        assert [item.reason for item in events_decoder()([Record(compact(path))]).refused] == [reason]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_committed_schema_is_not_broken(kind):
    """The schema under version control is that of the struct; `python -m schemas.json_schema` writes it."""
    committed = json.loads((FOLDER / f"{kind.__name__}.json").read_text())
    assert breaking(committed, schema(kind)) == []
    assert committed == schema(kind)


def test_what_breaks_readers_is_noticed():
    """Lost fields, new requirements, narrower values and types are breaking; new optional fields are not."""

    class Old(msgspec.Struct):
        a: int
        b: str | None = None

    class Wider(msgspec.Struct):
        a: int
        b: str | None = None
        c: str | None = None

    class NeedsMore(msgspec.Struct):
        a: int
        c: str
        b: str | None = None

    class Lost(msgspec.Struct):
        a: int

    class Changed(msgspec.Struct):
        a: str
        b: str | None = None

    def difference(new):
        old, found = schema(Old)["$defs"]["Old"], schema(new)["$defs"][new.__name__]
        return breaking(old, found)

    assert difference(Wider) == []
    for worse in (NeedsMore, Lost, Changed):
        assert difference(worse)
