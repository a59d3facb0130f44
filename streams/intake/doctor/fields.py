"""Fields that are missing, and a session that is none."""

from collections.abc import Iterator
from typing import Final

from schemas.traps import ENOUGH, ONE_SESSION
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import SESSIONS, Look

ADVICE: Final = {
    "model": "send response_model, or model_version",
    "outcome": "send outcome: without it neither errors nor refusals are known",
    "duration": "send duration_ms; latency has no other source",
    "session": "send session_id; each call counts as a session of its own",
    "operation": "send operation_name; without it embeddings can't be told from answers",
    "output tokens": "send usage; streams need it switched on (include_usage)",
}
"""What to do where a call lacks it."""

MOST_MISSING: Final = 0.5


def missing(look: Look) -> Iterator[Complaint]:
    """Yield the fields that most calls of a service lack."""
    if look.answered < ENOUGH:
        return
    for name, advice in ADVICE.items():
        without = look.lacking[name]
        if without > MOST_MISSING * look.answered:
            yield Complaint("fields", look.service, f"{share(without, look.answered)} calls have no {name}", advice)


def one_session(look: Look) -> Iterator[Complaint]:
    """Yield a session that holds most calls, over many traces: it is a project, a process or a user, not a session."""
    for field in SESSIONS:
        if (most := look.sessions.get(field)) is None:
            continue
        held, calls = most.calls
        if held > ONE_SESSION * calls and min(held, most.traces) >= max(3, ENOUGH // 4):
            seen = f"{field} {most.name[:60]!r} holds {share(held, calls)} calls of {most.traces} traces"
            advice = "a rate counts it once, so thousands of calls become one trial; send the id of a conversation"
            yield Complaint("sessions", look.service, seen, advice)
            return
