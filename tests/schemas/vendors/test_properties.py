"""Whatever comes in, what goes out fits the contract and holds no text; what can't be read says where."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import vendors
from schemas.categories import FAMILIES
from schemas.events import Event, Inference
from schemas.guards import GuardResult
from schemas.vocabulary import ACTIONS, LAYERS, STATUSES, VERDICTS
from schemas.wire import decoder, encode
from tests.schemas.vendors.natives import CASES, TEXT

READERS = [getattr(vendors, name) for name in vendors.__all__]
NOW = 1_795_800_000_000_000_000


def places(value):
    """Yield all names and texts in a value."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from places(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from places(inner)
    elif isinstance(value, str):
        yield value


KNOWN = sorted({word for _, answer in CASES.values() for word in places(answer)} - {""})
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(KNOWN),
    st.just("x" * 600),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.sampled_from(KNOWN), st.text(max_size=5)), inner)
    ),
    max_leaves=12,
)


@st.composite
def damaged(draw):
    """Draw a reader and an answer of its vendor in which one place holds something else."""
    read, answer = CASES[draw(st.sampled_from(sorted(CASES)))]
    answer = json.loads(json.dumps(answer))
    at, path = answer, []
    while isinstance(at, dict | list) and at and (not path or draw(st.integers(0, 3))):
        path.append(draw(st.sampled_from(sorted(at))) if isinstance(at, dict) else draw(st.integers(0, len(at) - 1)))
        parent, at = at, at[path[-1]]
    if not path:
        return read, draw(JSON)
    parent[path[-1]] = draw(JSON)
    return read, answer


def check(read, answer):
    """Read an answer; hold the results against the contract, as an event of Kafka."""
    try:
        results = read(answer)
    except ValueError as error:
        assert "must be" in str(error)  # noqa: PT017  what is said is the point
        return
    for result in results:
        assert msgspec.convert(msgspec.to_builtins(result), GuardResult) == result
        assert (result.layer in LAYERS, result.status in STATUSES) == (True, True)
        assert result.verdict in (None, *VERDICTS)
        assert result.action in (None, *ACTIONS)
        assert {found.category for found in result.findings or []} <= set(FAMILIES)
    event = Inference(event_id="e", source="s", time_unix_nano=NOW, service_name="a", guards=results)
    assert decoder(Event)(encode(event), NOW).guards == results


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(READERS), JSON)
def test_any_json_is_read_or_refused_in_words(read, answer):
    """No other error than one that says what a place must be; what is returned fits the contract."""
    check(read, answer)


@settings(max_examples=400, deadline=None)
@given(damaged())
def test_an_answer_with_one_wrong_place_is_read_or_refused_in_words(case):
    """The same deep inside an answer that is right otherwise."""
    check(*case)


@pytest.mark.parametrize("name", sorted(CASES))
def test_no_text_that_a_guard_was_shown_or_matched_is_returned(name):
    """A text wherever the vendor puts one is in no field of a result; yet every guard of these found something."""
    read, answer = CASES[name]
    results = read(answer)
    assert any(result.verdict not in (None, "allow") for result in results)
    assert TEXT not in repr(results)
