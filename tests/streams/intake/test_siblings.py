"""Siblings of the cases: each kind of fault in other words, and each vendor's own records, told by ``explain``.

The right values were derived by hand from the vendors' documents and the contract before the product was asked.
"""

import json
from pathlib import Path

import pytest

from tests.streams.intake.test_cases import explained, window

HERE = Path(__file__).parent
CASES = [
    json.loads(line)
    for name in ("siblings.jsonl", "native_siblings.jsonl")
    for line in (HERE / name).read_text().splitlines()
]


def hold(right, counted, event, found):
    """Hold what one event comes to against each thing that is right of it."""
    warnings = " ".join(warning for one in found for warning in one["warnings"])
    for name, value in right.items():
        field, _, how = name.rpartition("_")
        if how == "has":
            assert set(value) <= set(counted[field])
        elif how in ("lack", "lacks"):
            assert not set(value) & set(counted[field])
        elif name == "warned":
            assert value in warnings
        elif name == "event":
            assert {key: event.get(key) for key in value} == value
        elif name == "dialect":
            assert found[0]["dialect"] == value
        else:
            assert (sorted(counted[name]) if isinstance(value, list) else counted[name]) == (
                sorted(value) if isinstance(value, list) else value
            )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_sibling_counts_as_is_right(case, tmp_path):
    """Rates, versions, sessions, guards, categories and fields are those that were derived by hand."""
    lines = [record if isinstance(record, str) else json.dumps(record) for record in case["records"]]
    found = explained(tmp_path / "sibling.jsonl", lines)
    counted = [one for each in found for one in each["counted"]]
    events = [event for each in found for event in each["events"]]
    assert len(counted) >= len(case["right"])
    for number, right in enumerate(case["right"]):
        hold(right, counted[number], events[number] if number < len(events) else {}, found)
    together = case["all"]
    assert len(counted) == together.get("count", len(counted))
    for name, field in (("groups", "version"), ("sessions", "session")):
        distinct = len({one[field] for one in counted})
        assert distinct == together.get(name, distinct)
    if rate := together.get("window"):
        assert window(counted, rate[0]) == rate[1:]
