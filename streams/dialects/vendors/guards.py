"""A guard's bare answer: each of its results is a verdict that travels alone."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from schemas import vendors
from schemas.guards import GuardResult
from schemas.identity import identity
from streams.dialects.building import event
from streams.dialects.translation import Translation
from streams.dialects.values import at, first, nano, rows

NAME: Final = "guard"
Record = dict[str, Any]

_ALONE: Final = (
    "a guard's bare answer says nothing of whom it judged; put its results (`schemas.vendors`) into the `guards` of "
    "the event that it judged, or send target_event_id with them"
)


def _is_text_of_llama_guard(record: Record) -> bool:
    said = record.get("output")
    return isinstance(said, str) and said.strip().split("\n")[0].strip().lower() in ("safe", "unsafe")


SHAPES: Final[tuple[tuple[Callable[[Record], bool], Callable[..., list[GuardResult]]], ...]] = (
    (lambda r: "assessments" in r and "action" in r, vendors.guards_from_bedrock),
    (lambda r: "categoriesAnalysis" in r, vendors.guards_from_azure_content_safety),
    (lambda r: "userPromptAnalysis" in r or "documentsAnalysis" in r, vendors.guards_from_prompt_shields),
    (lambda r: "sanitizationResult" in r, vendors.guards_from_model_armor),
    (lambda r: "flagged" in r and ("breakdown" in r or "payload" in r), vendors.guards_from_lakera),
    (lambda r: isinstance(at(r, "categories"), dict) and "flagged" in r, vendors.guards_from_openai_moderation),
    (lambda r: any("category_scores" in one for one in rows(r.get("results"))), vendors.guards_from_openai_moderation),
    (_is_text_of_llama_guard, vendors.guards_from_llama_guard),
    (
        lambda r: "decision" in r and ("scanner" in r or {"score", "reason"} <= set(r)),
        vendors.guards_from_llamafirewall,
    ),
    (lambda r: "label" in r and "score" in r, vendors.guards_from_prompt_guard),
    (lambda r: "activated_rails" in r or "activated_rails" in (r.get("log") or ()), vendors.guards_from_nemo),
    (lambda r: "rail" in r and "status" in r, vendors.guards_from_nemo),
    (lambda r: "validation_passed" in r or "validationPassed" in r, vendors.guards_from_guardrails_ai),
    (lambda r: "tripwire_triggered" in r and "info" in r, vendors.guards_from_openai_guardrails),
    (lambda r: "is_valid" in r and "scanners" in r, vendors.guards_from_llm_guard),
)
"""How an answer is known, and who reads it; the first that fits."""


def _reader(record: Record) -> Callable[..., list[GuardResult]] | None:
    return next((read for knows_it, read in SHAPES if knows_it(record)), None)


def knows(record: Record) -> bool:
    """Tell whether a record is the answer of a guard that we read."""
    return _reader(record) is not None


def translate(record: Record) -> Translation:
    """Return a verdict for each result.

    Raises
    ------
    ValueError
        Where the answer has another shape than its vendor's.
    """
    read = _reader(record)
    results = msgspec.to_builtins(read(_logged(record))) if read else []
    content = identity(msgspec.json.encode(record, order="sorted").decode())
    events = tuple(
        event(
            "guard_verdict", NAME, (content, number), guard=guard,
            time_unix_nano=nano(first(record.get("time_unix_nano"), record.get("timestamp"))),
        )
        for number, guard in enumerate(results)
    )  # fmt: skip
    return Translation(NAME, events, (), (_ALONE,))


def _logged(record: Record) -> Record:
    """Return NeMo's rails as they are logged, also where they stand without the rest."""
    return {"log": record} if "activated_rails" in record else record
