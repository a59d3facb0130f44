"""What the contract accepts and most likely means something else is warned of, and what is right is not."""

import pytest

from schemas.events import Inference
from schemas.guards import GuardFinding, GuardResult
from streams.events.traps import traps_of
from tests.streams.events.test_decode import NOW_MS


def calls(**fields):
    """Return calls of a service; a field may be a function of their number."""
    return [
        Inference(
            event_id=str(number), source="s", time_unix_nano=NOW_MS * 1_000_000, service_name="a",
            **{name: value(number) if callable(value) else value for name, value in fields.items()},
        )
        for number in range(40)
    ]  # fmt: skip


def severe(level):
    """Return a guard result with a finding of a severity."""
    return [GuardResult(guard_name="g", layer="output", status="ok", verdict="flag",
                        findings=[GuardFinding(category="content.vcr", severity=level)])]  # fmt: skip


KINDS = [
    ("seconds_as_milliseconds", {"duration_ms": lambda n: 0.5 + n / 20, "usage_output_tokens": 200},
     {"duration_ms": lambda n: 500.0 + 50 * n, "usage_output_tokens": 200}),
    ("one_session", {"session_id": "project", "trace_id": lambda n: f"t{n}"},
     {"session_id": lambda n: f"s{n // 4}", "trace_id": lambda n: f"t{n}"}),
    ("foreign_severity", {"guards": lambda n: severe(2 + 2 * (n % 2))}, {"guards": lambda n: severe(1 + n % 4)}),
    ("cache_tokens_apart", {"usage_input_tokens": 12, "usage_cache_read_input_tokens": 4_000},
     {"usage_input_tokens": 4_012, "usage_cache_read_input_tokens": 4_000}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "wrong", "right"), KINDS)
def test_a_trap_is_told_with_its_evidence(kind, wrong, right):
    """Each kind is seen where it is, named once with its service, and not seen where the numbers are as they should."""
    [trap] = traps_of(calls(**wrong))
    assert (trap.service, trap.kind) == ("a", kind)
    assert any(character.isdigit() for character in trap.evidence)
    assert traps_of(calls(**right)) == []


def test_little_is_not_enough_to_warn():
    """Of a service that has sent next to nothing, nothing is said."""
    assert traps_of(calls(**KINDS[0][1])[:5]) == []
