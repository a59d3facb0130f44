"""OTLP in protobuf and in JSON is read alike, and what is neither is refused in words."""

import base64
import gzip
import json

import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogsData
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from streams.dialects.otlp import Span, gunzip, read_json, read_proto
from tests.support.otlp import NAMES, requests

IDS = ("traceId", "spanId", "parentSpanId")


def in_hex(value):
    """Turn the ids that protobuf writes in base64 into hexadecimal, as OTLP's JSON has them."""
    if isinstance(value, dict):
        return {
            key: base64.b64decode(content).hex() if key in IDS and isinstance(content, str) else in_hex(content)
            for key, content in value.items()
        }
    return [in_hex(item) for item in value] if isinstance(value, list) else value


def as_json(body, signal, **options):
    message = (TracesData if signal == "traces" else LogsData).FromString(body)
    return json.dumps(in_hex(MessageToDict(message, **options))).encode()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("as_numbers", [True, False])
def test_json_is_read_as_protobuf_is(name, as_numbers):
    """The same message in both encodings gives the same records, whether enumerations are numbers or names."""
    for signal, body in requests(name):
        written = as_json(body, signal, use_integers_for_enums=as_numbers)
        assert read_json(written, signal) == read_proto(body, signal)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def any_value(value):
    """Return a value as protobuf has it."""
    if isinstance(value, list):
        return AnyValue(array_value={"values": [any_value(item) for item in value]})
    if isinstance(value, dict):
        pairs = [KeyValue(key=key, value=any_value(item)) for key, item in value.items()]
        return AnyValue(kvlist_value={"values": pairs})
    kinds = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value", bytes: "bytes_value"}
    return AnyValue() if value is None else AnyValue(**{kinds[type(value)]: value})


@given(st.dictionaries(st.text(), values, max_size=5))
def test_any_value_comes_through_both_encodings(attributes):
    """Values of every kind, nested too, are what they were."""
    message = TracesData()
    span = message.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8)
    span.attributes.extend(KeyValue(key=key, value=any_value(value)) for key, value in attributes.items())
    body = message.SerializeToString()
    for found in (read_proto(body, "traces"), read_json(as_json(body, "traces"), "traces")):
        assert [record.attributes for record in found] == [attributes]


@given(st.binary(max_size=200), st.sampled_from(["traces", "logs"]))
def test_garbage_is_refused_or_read_and_nothing_else_happens(data, signal):
    """Bytes that are no message raise a ValueError and no other error, in either encoding."""
    for read in (read_proto, read_json):
        try:
            records = read(data, signal)
        except ValueError as error:
            assert "OTLP" in str(error)  # noqa: PT017
        else:
            assert isinstance(records, list)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceSpans", "scopeSpans", "spans", "attributes", "value", "key", "traceId", "status", "kind"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_json_of_any_shape_is_read_or_refused(value):
    """Fields of wrong types count as absent."""
    try:
        records = read_json(json.dumps({"resourceSpans": value}).encode(), "traces")
    except ValueError as error:
        assert "OTLP JSON" in str(error)  # noqa: PT017
    else:
        assert all(isinstance(record, Span) for record in records)


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"no gzip", "no gzip"), (gzip.compress(bytes(1000))[:-9], "cut"), (gzip.compress(bytes(1001)), "more than 1000")],
    ids=["none", "cut", "too large"],  # a header of gzip holds the time, and names of tests must not
)
def test_gzip_that_is_none_cut_or_too_large_is_refused(data, said):
    """A body is not trusted about its size, nor to be whole."""
    with pytest.raises(ValueError, match=said):
        gunzip(data, 1000)
