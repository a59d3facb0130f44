"""Whatever stands at any place of a record, it is translated or refused with a reason: nothing else is raised."""

import copy
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.dialects.registry import DIALECTS, dialect_named, dialect_of
from tests.schemas.vendors.natives import CASES
from tests.streams.dialects.test_exports import GENERATION, INVOCATION, RUN
from tests.streams.dialects.test_gateways import KONG, LAKERA, MESH, with_plugin
from tests.streams.dialects.test_spans import CHAT, document

LOGGED = gzip.decompress((Path(__file__).parent / "recorded/litellm.jsonl.gz").read_bytes()).splitlines()
MCP = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "search"}, "result": {"content": []}}
SAMPLES = [
    *(json.loads(line) for line in LOGGED[::9]),
    KONG, with_plugin("lakera-guard", LAKERA, 400), MESH | {"data": {"tool_name": "t", "severity": "high"}}, GENERATION,
    {"data": [{"id": "t", "sessionId": "s", "observations": [GENERATION]}]}, RUN, INVOCATION, document(), CHAT, MCP,
    {"id": "s", "traceId": "t", "name": "jailbreak", "value": 1, "dataType": "BOOLEAN", "timestamp": "2026-02-02"},
    {"llm_summary": {"model": "m", "prompt_tokens": 5}, "start_time": 1770000000123, "response": {"status": 200}},
    *(answer for _, answer in CASES.values() if isinstance(answer, dict)),
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8)
    | st.sampled_from(["", "None", "2026-02-02T02:40:00", "\0", "\ud83d", "9" * 400, "1e400", 1e308, -1, 10**400]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value, path=()):
    """Return the paths of everything in a record."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


def changed(record, path, value):
    """Return a record with another value at a path."""
    copied = copy.deepcopy(record)
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return copied


@settings(max_examples=400)
@given(data=st.data(), sample=st.sampled_from(SAMPLES), value=VALUES)
def test_a_record_with_anything_at_any_place_is_translated_or_refused(data, sample, value):
    """No other error than a refusal, and the same record gives the same events twice."""
    name = dialect_of(sample).name
    record = changed(sample, data.draw(st.sampled_from(places(sample))), value)
    try:
        found = dialect_named(name).translate(record)
    except ValueError:
        return
    assert [event["event_id"] for event in found.events] == [
        event["event_id"] for event in dialect_named(name).translate(copy.deepcopy(record)).events
    ]
    json.dumps(found.events, ensure_ascii=False).encode()
    assert all(isinstance(text, str) for text in (*found.dropped, *found.warnings))


@given(record=st.dictionaries(st.text(max_size=8) | st.sampled_from([key for one in SAMPLES for key in one]), VALUES))
def test_any_object_is_known_or_not_and_asking_breaks_nothing(record):
    """Each dialect answers whether it knows any object at all, and one that does translates or refuses it."""
    for dialect in DIALECTS:
        if dialect.knows(record):
            try:
                dialect.translate(record)
            except ValueError:
                continue


@pytest.mark.parametrize("value", [None, 1, "text", [], [1]])
def test_what_is_no_object_is_refused(value):
    """A record is an object, or bytes of OTLP."""
    with pytest.raises(ValueError, match="JSON object"):
        dialect_of(value)
