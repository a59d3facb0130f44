"""What guard libraries and a gateway really answered becomes what really happened."""

import json
from pathlib import Path

import pytest

from schemas import vendors

FOLDER = Path(__file__).with_name("recorded")
READERS = {
    "guardrails-ai": vendors.guards_from_guardrails_ai,
    "litellm": vendors.guards_from_litellm,
    "llm-guard": vendors.guards_from_llm_guard,
    "nemoguardrails": vendors.guards_from_nemo,
    "openai-agents": vendors.guards_from_openai_agents,
    "presidio": vendors.guards_from_presidio,
}
CASES = [
    pytest.param(READERS[path.stem], case, id=f"{path.stem}-{case['case']}")
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text())["cases"]
]


@pytest.mark.parametrize(("read", "case"), CASES)
def test_a_recorded_answer_is_read_as_what_happened(read, case):
    """Guard, layer, status, verdict, action and categories of each result, as `truth` says."""
    results = read(case["response"], **case.get("given", {}))
    assert [
        [
            one.guard_name,
            one.layer,
            one.status,
            one.verdict,
            one.action,
            [found.category for found in one.findings or []],
        ]
        for one in results
    ] == case["right"]
