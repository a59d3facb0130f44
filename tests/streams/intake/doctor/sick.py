"""Services that send what is accepted and wrong, one fault each, and one that is well."""

import time

COUNT = 40
GUARD = {"guard_name": "g", "layer": "output", "status": "ok", "verdict": "allow", "action": "none", "mode": "enforce"}
FLAG = {"verdict": "flag", "findings": [{"category": "content.vcr", "severity": 2}]}


def call(number, now=None, **fields):
    """Return a call of a service that is well."""
    return {
        "event_type": "ai.safety.inference.v1", "event_id": f"e{number}", "source": "test",
        "time_unix_nano": (now or time.time_ns()) - number * 10**9, "service_name": "well", "operation_name": "chat",
        "response_model": "m-1", "outcome": "completed", "session_id": f"s{number // 4}", "trace_id": f"t{number}",
        "duration_ms": 900.0, "usage_input_tokens": 200, "usage_output_tokens": 50,
        "usage_cache_read_input_tokens": 100, "guards": [GUARD | (FLAG if number % 8 == 0 else {})],
    } | fields  # fmt: skip


def verdict(number, now=None, **fields):
    """Return a verdict that travels alone and names the call of that number."""
    return {
        "event_type": "ai.safety.guard_verdict.v1", "event_id": f"v{number}", "source": "test",
        "time_unix_nano": (now or time.time_ns()) - number * 10**9, "service_name": "well",
        "target_event_id": f"e{number}", "guard": GUARD,
    } | fields  # fmt: skip


def finding(**fields):
    return [GUARD | {"verdict": "flag", "findings": [{"category": "content.vcr"} | fields]}]


SICK = {
    "fields": {"response_model": None, "outcome": None, "duration_ms": None, "session_id": None, "trace_id": None},
    "sessions": {"session_id": "project-uuid"},
    "durations": {"duration_ms": 0.9},
    "tokens": {"usage_cache_read_input_tokens": 300},
    "codes": {"guards": finding(category="S10")},
    "words": {"outcome": "fine"},
    "coverage": {"guards": [GUARD | {"verdict": "unknown"}]},
    "sampling": {"guards": finding()},
    "severities": {"guards": [GUARD | {"guard_name": "azure-text"} | FLAG | {"findings": [
        {"category": "content.vcr", "native_taxonomy": "azure_content_safety", "severity": 4}]}]},
}  # fmt: skip
"""By the check that must complain: what is wrong with every call of a service."""


def events(name, now=None):
    """Return the telemetry of a service that is sick in one way, or of the one that is well."""
    wrong = SICK.get(name, {})
    made = [call(n, now, service_name=name, event_id=f"{name}{n}", **wrong) for n in range(COUNT)]
    return [{key: value for key, value in event.items() if value is not None} for event in made]
