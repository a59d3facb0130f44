"""Langfuse's scores: verdicts that travel alone, about an observation or a whole trace."""

from typing import Any, Final

from schemas.identity import identity
from streams.dialects.building import event, times
from streams.dialects.exports.langfuse_words import CATEGORIES, FEEDBACK, NAME, either
from streams.dialects.translation import Translation
from streams.dialects.values import first, number, present, text, told

_NO_LIMIT: Final = (
    "score {name!r} says no threshold, and which end of it is bad; its verdict is unknown. Send it as a guard's "
    "verdict with a category, or as a boolean"
)
_FEEDBACK: Final = (
    "score {name!r} is what a user said: send it as a review label, on reviews.v1; no event is made of it"
)


def is_score(record: dict[str, Any]) -> bool:
    """Tell whether a record is a score."""
    valued = record.get("value") is not None or either(record, "stringValue") is not None
    return valued and "name" in record and either(record, "traceId") is not None and "type" not in record


def score(item: dict[str, Any]) -> Translation:
    """Return a verdict about what was scored; a number without a threshold is no opinion."""
    name = text(item.get("name")) or "score"
    dropped = told(item, ("comment", "metadata"))
    if any(word in name.lower() for word in FEEDBACK):
        return Translation(NAME, (), dropped, (_FEEDBACK.format(name=name),))
    category = CATEGORIES.get(name.lower().replace("-", " ").replace("_", " "))
    value, boolean = number(item.get("value")), either(item, "dataType") == "BOOLEAN"
    decided = boolean and category is not None
    guard = present(
        {
            "guard_name": name, "layer": "output", "status": "ok",
            "verdict": ("flag" if value else "allow") if decided else "unknown",
            "action": "none" if decided else "unknown", "mode": "monitor", "guard_provider": text(item.get("source")),
            "native_result_type": "score", "native_result_value": first(either(item, "stringValue"), item.get("value")),
            "findings": [present({"category": category, "native_category": name, "score": value})] if category else [],
        }
    )  # fmt: skip
    [when], warnings = times(either(item, "timestamp") or either(item, "createdAt"))
    judged = either(item, "observationId")
    verdict = event(
        "guard_verdict", NAME, ("score", item.get("id")), time_unix_nano=when, trace_id=text(either(item, "traceId")),
        session_id=text(either(item, "sessionId")), environment=text(item.get("environment")), guard=guard,
        target_event_id=identity(NAME, judged) if text(judged) else None,
    )  # fmt: skip
    return Translation(NAME, (verdict,), dropped, (*warnings, *(() if decided else (_NO_LIMIT.format(name=name),))))
