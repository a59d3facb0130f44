"""Fields that are missing, and a session that is none."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from schemas.traps import ENOUGH, ONE_SESSION
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import Look, Row

MISSING: Final = (
    ("model", ("model_version", "response_model", "request_model"), "send response_model, or model_version"),
    ("outcome", ("outcome", "error_type"), "send outcome: without it neither errors nor refusals are known"),
    ("duration", ("duration_ms",), "send duration_ms; latency has no other source"),
    (
        "session",
        ("session_id", "conversation_id", "trace_id"),
        "send session_id; each call counts as a session of its own",
    ),
    ("operation", ("operation_name",), "send operation_name; without it embeddings can't be told from answers"),
    ("output tokens", ("usage_output_tokens",), "send usage; streams need it switched on (include_usage)"),
)
"""What is looked for, the fields of which one is enough, and what to do."""

MOST_MISSING: Final = 0.5


def missing(look: Look) -> Iterator[Complaint]:
    """Yield the fields that most calls of a service lack."""
    calls = [call for call in look.calls if call.get("outcome") not in ("error", "blocked", "filtered", "cancelled")]
    if len(calls) < ENOUGH:
        return
    for name, fields, advice in MISSING:
        without = sum(not any(call.get(field) not in (None, "") for field in fields) for call in calls)
        if without > MOST_MISSING * len(calls):
            yield Complaint("fields", look.service, f"{share(without, len(calls))} calls have no {name}", advice)


def one_session(look: Look) -> Iterator[Complaint]:
    """Yield a session that holds most calls, over many traces: it is a project, a process or a user, not a session."""
    for field in ("session_id", "conversation_id"):
        calls = [call for call in look.calls if call.get(field)]
        if not calls:
            continue
        name, held = Counter(str(call[field]) for call in calls).most_common(1)[0]
        apart = _parts([call for call in calls if call[field] == name])
        if held > ONE_SESSION * len(calls) and min(held, apart) >= max(3, ENOUGH // 4):
            seen = f"{field} {name[:60]!r} holds {share(held, len(calls))} calls of {apart} traces"
            advice = "a rate counts it once, so thousands of calls become one trial; send the id of a conversation"
            yield Complaint("sessions", look.service, seen, advice)
            return


def _parts(calls: list[Row]) -> int:
    """Return how many traces calls are of; without traces each counts as its own."""
    traces = {str(call.get("trace_id") or call.get("event_id")) for call in calls}
    return len(traces)
