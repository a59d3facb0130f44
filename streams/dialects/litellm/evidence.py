"""What a guard's own answer says, as LiteLLM keeps it: a vendor's JSON, matches of its own filter, a word, an error."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from streams.dialects.values import at, mapping, rows

Finding = dict[str, Any]


class Evidence(NamedTuple):
    """Verdict and action, with what was found."""

    verdict: str
    action: str


SILENT: Final = Evidence("unknown", "unknown")
"""An answer that says neither: a bare word, nothing at all, the text of an error."""
CLEAN: Final = Evidence("allow", "none")
FLAGGED: Final = Evidence("flag", "none")
MASKED: Final = Evidence("redact", "redacted")
BLOCKED: Final = Evidence("block", "blocked")


def evidence_of(item: dict[str, Any]) -> Evidence:
    """Return what the answer of one guard record says; of several things the gravest.

    Parameters
    ----------
    item
        An item of `guardrail_information`.
    """
    answer = item.get("guardrail_response")
    said = _of_list(item, answer) if isinstance(answer, list) else _of_mapping(mapping(answer))
    return MASKED if mapping(item.get("masked_entity_count")) and said is not BLOCKED else said


def _of_list(item: dict[str, Any], answer: list[Any]) -> Evidence:
    """Return what a list of matches says: an empty one of Presidio is also what a failed analyzer leaves."""
    actions = {match.get("action") for match in rows(answer)}
    if "BLOCK" in actions:
        return BLOCKED
    if "MASK" in actions:
        return MASKED
    if answer:
        return FLAGGED
    return CLEAN if item.get("guardrail_provider") == "litellm_content_filter" else SILENT


def _of_mapping(answer: dict[str, Any]) -> Evidence:
    for knows, said in _SHAPES:
        if knows(answer):
            return said(answer)
    return SILENT


def _of_bedrock(answer: dict[str, Any]) -> Evidence:
    actions, detected = set(), False
    for policy in (mapping(policy) for each in rows(answer.get("assessments")) for policy in each.values()):
        for match in (match for matches in policy.values() for match in rows(matches)):
            actions.add(match.get("action"))
            detected |= match.get("detected") is True
    if answer["action"] == "GUARDRAIL_INTERVENED":
        return BLOCKED if "BLOCKED" in actions or "ANONYMIZED" not in actions else MASKED
    return FLAGGED if detected else CLEAN


def _of_flagged(answer: dict[str, Any]) -> Evidence:
    return FLAGGED if answer["flagged"] else CLEAN


def _of_moderation(answer: dict[str, Any]) -> Evidence:
    return FLAGGED if any(result.get("flagged") is True for result in rows(answer["results"])) else CLEAN


def _of_armor(answer: dict[str, Any]) -> Evidence:
    state = at(answer, "sanitizationResult.filterMatchState")
    return {"MATCH_FOUND": FLAGGED, "NO_MATCH_FOUND": CLEAN}.get(str(state), SILENT)


_SHAPES: Final[tuple[tuple[Callable[[dict[str, Any]], bool], Callable[[dict[str, Any]], Evidence]], ...]] = (
    (lambda answer: "assessments" in answer and isinstance(answer.get("action"), str), _of_bedrock),
    (lambda answer: isinstance(answer.get("flagged"), bool), _of_flagged),
    (lambda answer: "results" in answer, _of_moderation),
    (lambda answer: "sanitizationResult" in answer, _of_armor),
)
