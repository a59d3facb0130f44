"""Records made to kill or to slow a parser: refused before one sees them, their neighbours untouched."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Inference
from schemas.fields import MAX_DEPTH, MAX_PARTS
from schemas.shape import parts, too_deep
from streams.events.decode import events_decoder
from tests.streams.events.test_decode import Record, dumps, event, lanes, same


def nested(levels, opening="[", closing="]", field="x"):
    """Return an event with a field that is so deep."""
    return dumps(event()).replace(b"}", f',"{field}":{opening * levels}1{closing * levels}}}'.encode())


@pytest.mark.parametrize("field", ["x", "event_id", "guards", "stage_latency_ms", "labels"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
@pytest.mark.parametrize("levels", [MAX_DEPTH, 1_000, 5_000, 20_000, 60_000])
def test_depth_is_a_dead_letter_at_once(field, opening, closing, levels):
    """However deep a field is, known or not, its record alone is refused, as too deep, in far less than a second."""
    good, began = Record(dumps(event())), time.process_time()
    decoded = events_decoder()([good, Record(nested(levels, opening, closing, field)), good])
    assert time.process_time() - began < 2
    assert [(item.position, item.reason) for item in decoded.refused] == [(1, "too_deep")]
    assert len(decoded.kinds[Inference].table) == 2


def test_a_batch_of_deep_records_costs_what_its_bytes_cost():
    """Two thousand records that are just not too deep, all different, are decoded in seconds and none is lost."""
    levels = MAX_DEPTH - 1
    records = [Record(nested(levels, f'{{"a{n}":', "}", f"x{n}")) for n in range(2_000)]
    began = time.process_time()
    decoded = events_decoder()(records)
    assert time.process_time() - began < 5
    assert len(decoded.kinds[Inference].table) == len(records)


def test_unknown_fields_take_no_columns():
    """Records with a thousand unknown fields each, no two alike and of clashing types, cost no memory and no time."""
    records = [
        Record(dumps(event(**{f"u{n}_{i}" if i else "u": [i, "t", {"a": n}][(n + i) % 3] for i in range(1_000)})))
        for n in range(500)
    ]
    began = time.process_time()
    decoded = events_decoder()(records)
    assert time.process_time() - began < 10
    assert len(decoded.kinds[Inference].table) == len(records)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"x": [1] * (MAX_PARTS + 10)}, "too_many_parts"),
        ({f"k{n}": 1 for n in range(MAX_PARTS + 10)}, "too_many_parts"),
        ({"finish_reasons": ["a"] * (MAX_PARTS + 10)}, "too_many_parts"),
        ({"input_text": '[{,\\"' * 30_000}, None),
        ({f"k{n}": 1 for n in range(MAX_PARTS - 100)}, None),
    ],
)
def test_many_parts_are_refused_and_text_is_no_part(fields, reason):
    """Fields and items are counted over all levels; brackets and commas inside of a text are text."""
    decoded = events_decoder()([Record(dumps(event(**fields)))])
    assert [item.reason for item in decoded.refused] == [reason] * (reason is not None)


def depth(data):
    """Return the depth of JSON data."""
    if isinstance(data, dict | list):
        return 1 + max(map(depth, data.values() if isinstance(data, dict) else data), default=0)
    return 0


def size(data):
    """Return how many fields and items JSON data has beyond the first of each level."""
    if isinstance(data, dict | list):
        return max(len(data) - 1, 0) + sum(map(size, data.values() if isinstance(data, dict) else data))
    return 0


trees = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(alphabet='[]{},"\\ab\n\x00é', max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text('[{"\\,a', max_size=3), inner)),
    max_leaves=20,
)


@given(tree=trees, around=st.integers(0, MAX_DEPTH + 3), spaces=st.booleans())
def test_depth_and_parts_are_those_of_the_parsed_record(tree, around, spaces):
    """What one pass over the bytes says is what a parser would find."""
    for _ in range(around):
        tree = [tree]
    value = json.dumps(tree, separators=None if spaces else (",", ":")).encode()
    assert too_deep(value) == (depth(tree) > MAX_DEPTH)
    assert parts(value) == size(tree) + 1


stranger = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.lists(st.integers(), max_size=2), st.just({}))


@given(
    batches=st.lists(
        st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "tenant_id": st.one_of(st.none(), st.just("t")),
                    "guards": st.lists(
                        st.fixed_dictionaries(
                            {"guard_name": st.just("g"), "layer": st.just("output"), "status": st.just("ok")},
                            optional={"reason": st.one_of(st.none(), st.just("r")), "new": stranger},
                        ),
                        max_size=2,
                    ),
                    "stage_latency_ms": st.fixed_dictionaries({}, optional={"inference": st.just(1.0), "n": stranger}),
                    "labels": st.just({"a": "b"}),
                    "new": stranger,
                },
            ),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=4,
    )
)
def test_what_was_met_before_changes_nothing(batches):
    """Whatever order fields, ours and strangers, turn up in, a reader that has met others reads what a new one does."""
    fast, slow = lanes()
    for batch in batches:
        records = [Record(dumps(event(**fields))) for fields in batch]
        same(fast(records), slow(records))


def test_a_map_by_another_spelling_is_read():
    """A map whose name is written with an escape or a space behind is found as well."""
    plain = dumps(event(labels={"team": "a"}))
    for value in (plain, plain.replace(b'"labels":', b'"l\\u0061bels":'), plain.replace(b'"labels":', b'"labels" :')):
        [row] = events_decoder()([Record(value)]).kinds[Inference].table.to_pylist()
        assert row["labels"] == [("team", "a")]
