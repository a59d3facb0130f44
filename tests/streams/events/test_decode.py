"""Two lanes, one contract."""

import json
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep, Event, GuardVerdict, Inference, Retrieval, Telemetry
from schemas.wire import encode
from streams.events.arrow_contract import arrow_schema
from streams.events.decode import Decoder, events_decoder

NOW_MS = 1_770_000_000_000
KINDS = (Inference, AgentStep, GuardVerdict, Retrieval, Telemetry)


@dataclass
class Record:
    """What the decoder needs of a Kafka record."""

    value: bytes | None
    timestamp: int = NOW_MS
    offset: int = 0


def event(**fields):
    """Return a plain inference event as JSON data."""
    return {
        "event_type": "ai.safety.inference.v1",
        "event_id": "e",
        "source": "s",
        "time_unix_nano": NOW_MS * 1_000_000,
        "service_name": "chat",
    } | fields


texts = st.one_of(st.text(max_size=6), st.sampled_from(["", "a\x00b", "é", "\U0001f600", '"', "\\ud83d", "\\"]))
numbers = st.one_of(
    st.integers(-5, 2**64), st.floats(allow_nan=True), st.just(5.0), st.just(-0.0), st.sampled_from([2**53, 2**53 + 1])
)
scalars = st.one_of(st.none(), texts, numbers, st.booleans())
guards = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "guard_name": st.one_of(texts, st.just("g")),
                "layer": st.sampled_from(["output", "input", "nonsense"]),
                "status": st.sampled_from(["ok", "error", None]),
            },
            optional={
                "verdict": st.sampled_from(["flag", "allow", "maybe", 3]),
                "action": texts,
                "findings": st.lists(
                    st.fixed_dictionaries({"category": texts}, optional={"severity": st.integers(-1, 6)}), max_size=2
                ),
                "latency_ms": numbers,
                "unknown_inside": scalars,
            },
        ),
        st.none(),
    ),
    max_size=3,
)
mostly_good = st.fixed_dictionaries(
    {},
    optional={
        "event_id": texts,
        "service_name": scalars,
        "time_unix_nano": st.one_of(numbers, st.just(NOW_MS * 1_000_000)),
        "tenant_id": scalars,
        "usage_input_tokens": scalars,
        "duration_ms": scalars,
        "outcome": st.sampled_from(["completed", "refused", "no such", None]),
        "finish_reason_norm": st.one_of(texts, st.sampled_from(["stop", "tool_calls", 1])),
        "deployment_variant": texts,
        "step_kind": scalars,
        "request_stream": scalars,
        "finish_reasons": st.one_of(st.none(), st.lists(st.one_of(texts, st.none()), max_size=3)),
        "stage_latency_ms": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"inference": numbers})),
        "labels": st.one_of(st.none(), st.dictionaries(texts, texts, max_size=2)),
        "guards": st.one_of(st.none(), guards),
        "unknown_field": scalars,
        "event_type": st.sampled_from([kind.__struct_config__.tag for kind in KINDS] + ["other", 4]),
    },
)


def dumps(data, **options):
    """Return JSON as our emitters write it, the kind first and no spaces: what the first lane looks for."""
    return json.dumps(data, separators=(",", ":"), **options).encode()


def lanes():
    """Return the decoder with both lanes, and one with the second alone."""
    return events_decoder(), Decoder(Event)


def same(fast, slow):
    """Tell whether two decoded batches hold the same records, refusals and values."""
    assert [(r.position, r.reason) for r in fast.refused] == [(r.position, r.reason) for r in slow.refused]
    assert set(fast.kinds) == set(slow.kinds)
    for kind, columns in fast.kinds.items():
        np.testing.assert_array_equal(columns.position, slow.kinds[kind].position)
        assert columns.table.schema == arrow_schema(kind)
        assert columns.table.to_pylist() == slow.kinds[kind].table.to_pylist()


@settings(max_examples=400)
@given(batch=st.lists(mostly_good, min_size=1, max_size=8), spare=st.lists(st.booleans(), min_size=8, max_size=8))
def test_both_lanes_accept_the_same_records_with_the_same_values(batch, spare):
    """Whatever JSON comes, columns and structs agree on what is accepted and on every value."""
    records = [Record(dumps(event(**fields), ensure_ascii=odd)) for fields, odd in zip(batch, spare, strict=False)]
    fast, slow = lanes()
    for _ in range(2):  # the second time with what the reader has met before
        same(fast(records), slow(records))


@settings(max_examples=200)
@given(
    batch=st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.sampled_from([b"", b" ", b"{}", b"null", b"[]", b"\x00", b'{"a":1}\n{"b":2}', encode(
                Inference(event_id="1", source="s", time_unix_nano=NOW_MS * 1_000_000, service_name="x")
            ) * 2]),
            st.just(dumps(event())),
        ),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
def test_no_bytes_can_shift_a_neighbour(batch):
    """Records that hold no, two or half a document are refused, and the others keep their own values."""
    records = [Record(value) for value in batch]
    fast, slow = lanes()
    same(fast(records), slow(records))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"not json", "not_json"),
        (b"\xff\xfe", "not_json"),
        (None, "not_json"),
        (dumps(event(service_name=7)), "invalid"),
        (dumps(event(event_type="ai.safety.poem.v1")), "unknown_kind"),
        (dumps(event(usage_input_tokens=-1)), "invalid"),
        (dumps(event(duration_ms=float("nan"))), "not_json"),
        (dumps(event(time_unix_nano=(NOW_MS + 3_600_000) * 1_000_000)), "future_time"),
        (dumps(event(time_unix_nano=1)), "invalid"),
        (dumps(event(tenant_id="a\x00b")), "nul_character"),
        (dumps(event(input_text="x" * 5_000_000)), "too_large"),
        (b"[" * 100_000, "too_deep"),
        (b'{"event_type":"ai.safety.inference.v1","event_id":"\xff"}', "not_json"),
    ],
)
def test_bad_input_is_refused_with_its_reason(value, reason):
    """Each kind of bad record is refused for its own reason, and a good neighbour is kept."""
    good = Record(dumps(event()))
    decoded = events_decoder()([good, Record(value), good])
    assert [(item.position, item.reason) for item in decoded.refused] == [(1, reason)]
    assert len(decoded.kinds[Inference].table) == 2


def test_clean_events_take_the_columnar_lane(monkeypatch):
    """A clean batch never reaches the second lane: breaking that lane changes nothing."""
    decode = events_decoder()
    monkeypatch.setattr(decode, "_one", None)
    clean = [
        Record(encode(Inference(event_id=str(i), source="s", time_unix_nano=NOW_MS * 1_000_000, service_name="x")))
        for i in range(50)
    ]
    assert len(decode(clean).kinds[Inference].table) == 50


def test_unknown_fields_are_ignored_and_optional_nulls_are_absent():
    """A field we do not know changes nothing; null and absent are the same."""
    one = events_decoder()([Record(dumps(event(tenant_id=None, surprise={"a": [1]})))])
    two = events_decoder()([Record(dumps(event()))])
    assert one.kinds[Inference].table.equals(two.kinds[Inference].table)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_every_kind_has_a_column(kind):
    """The Arrow schema of a kind has exactly the fields of its struct."""
    assert arrow_schema(kind).names == [field.name for field in msgspec.structs.fields(kind)]
    assert isinstance(arrow_schema(kind), pa.Schema)
