"""Blank text is absent, wherever it stands and however it was read."""

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import Inference
from schemas.wire import encode
from streams.events.blanks import without_blanks
from streams.events.decode import events_decoder
from streams.watch.counted import counted
from tests.streams.events.test_decode import NOW_MS, Record

BASE = {"event_id": "1", "source": "s", "time_unix_nano": NOW_MS * 1_000_000, "service_name": "x"}
BLANKS = st.sampled_from(["", " ", "\t\n ", "\u3000"])
FIELDS = ("model_version", "session_id", "trace_id", "error_type", "outcome", "response_model", "tenant_id")


TEXTS = st.none() | st.text(st.sampled_from(["a", "~", "!", "é", "本", " ", "\t", "\u3000"]), max_size=3)


@given(texts=st.lists(TEXTS, max_size=12), cut=st.integers(0, 12))
def test_a_column_loses_its_blank_texts_and_no_other(texts, cut):
    """However a column lies in memory: in parts, as a view, with nothing between its texts."""
    parts = pa.array([" ", *texts[:cut]], pa.string()).slice(1), pa.array(texts[cut:], pa.string())
    found = without_blanks(pa.chunked_array(parts), pa.field("x", pa.string())).to_pylist()
    assert found == [text if text and text.strip() else None for text in texts]


def table(event, *, escaped):
    """Return an event as columns, read by either lane."""
    value = encode(event)
    if escaped:  # an escape that two parsers may read differently sends a record to the exact lane
        value = value.replace(b'"source":"s"', b'"source":"\\ud83d\\ude00"')
    [columns] = events_decoder()([Record(value)]).kinds.values()
    return columns.table.drop_columns(["source"])


@pytest.mark.parametrize("escaped", [False, True])
@given(blanks=st.dictionaries(st.sampled_from(FIELDS), BLANKS), verdict=BLANKS | st.just("flag"))
def test_a_blank_is_read_as_if_it_were_not_there(escaped, blanks, verdict):
    """Both lanes give the columns of the same event without its blank fields, guards and lists included."""
    guard = {"guard_name": "g", "layer": "output", "status": "ok", "verdict": verdict, "reason": " "}
    with_blanks = msgspec.convert(
        {"event_type": "ai.safety.inference.v1", **BASE, **blanks, "guards": [guard], "finish_reasons": ["stop", ""]},
        Inference,
    )
    without = {name: value for name, value in guard.items() if value.strip()}
    plain = msgspec.convert(
        {"event_type": "ai.safety.inference.v1", **BASE, "guards": [without], "finish_reasons": ["stop"]}, Inference
    )
    assert table(with_blanks, escaped=escaped).equals(table(plain, escaped=escaped))


def test_a_payload_full_of_empty_strings_counts_as_one_without_them():
    """Where a gateway writes "" for what it does not know, the model, the session and the outcome are still found."""
    event = {
        "event_type": "ai.safety.inference.v1", **BASE, "session_id": "", "trace_id": "t1", "request_model": "gpt-4o",
        "response_model": "gpt-4o", "model_version": "", "user_pseudo_id": "", "error_type": "", "outcome": "completed",
    }  # fmt: skip
    [found] = counted([event])
    assert (found.version, found.session, found.flagged) == ("gpt-4o", "t1", ())
