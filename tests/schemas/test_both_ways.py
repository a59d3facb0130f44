"""JSON Schema and decoder accept the same, so that who writes by the schema is not refused, nor the other way round."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import AgentStep, Event, GuardVerdict, Inference, Retrieval
from schemas.json_schema import schema
from schemas.wire import InvalidRecordError, decoder

NOW = 1_770_000_000_000_000_000
DECODE = decoder(Event)
KINDS = (Inference, AgentStep, GuardVerdict, Retrieval)
GUARD = {"guard_name": "g", "layer": "output", "status": "ok"}
VALIDATORS = {kind: jsonschema.Draft202012Validator(schema(kind)) for kind in KINDS}
BASE = {
    Inference: {}, AgentStep: {"step_kind": "plan"}, GuardVerdict: {"guard": GUARD}, Retrieval: {},
}  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
    | st.sampled_from([0, 1, -1, 12.0, -0.0, 1.77e18, 2**53, 2**53 + 1, 2**63, 1e300, 1.5, "", "x" * 256, "x" * 257])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=5
)
FINDING = st.fixed_dictionaries({"category": TEXT}, optional=dict.fromkeys(("severity", "score", "count"), SCALARS))
RESULT = st.builds(
    lambda findings, more: {**GUARD, **more, "findings": findings},
    st.none() | st.lists(FINDING, max_size=2),
    st.dictionaries(st.sampled_from(["verdict", "latency_ms", "chunk_index", "layer", "content_modified"]), SCALARS),
)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_one_accepts_the_other_accepts(kind, data):
    """Over fields that are right, wrong or not there, at any depth and with numbers written either way."""
    names = sorted(schema(kind)["$defs"][kind.__name__]["properties"])
    event = {
        "event_type": kind.__struct_config__.tag, "event_id": "e", "source": "s", "time_unix_nano": NOW,
        "service_name": "a", **BASE[kind],
        **data.draw(st.dictionaries(st.sampled_from([*names, "unheard_of"]), VALUES, max_size=2)),
    }  # fmt: skip
    if "guards" in names:
        event |= {"guards": data.draw(st.none() | st.lists(RESULT, max_size=2))}
    fits = VALIDATORS[kind].is_valid(event)
    assert fits == accepted(event), event


def accepted(event):
    """Tell whether the decoder takes an event that is written as late as it says."""
    try:
        DECODE(json.dumps(event).encode(), 2**63 - 1)
    except InvalidRecordError:
        return False
    return True


def test_a_whole_number_may_be_written_with_a_point():
    """Tokens of 12.0 and a time of 1.77e18 have no fraction and are read as such; 12.5 tokens are none."""
    event = {"event_type": "ai.safety.inference.v1", "event_id": "e", "source": "s", "time_unix_nano": 1.77e18,
             "service_name": "a", "usage_input_tokens": 12.0}  # fmt: skip
    found = DECODE(json.dumps(event).encode(), NOW)
    assert (found.time_unix_nano, found.usage_input_tokens) == (NOW, 12)
    assert not accepted(event | {"usage_input_tokens": 12.5})
