"""Google: ratings and reasons of Gemini, and Model Armor."""

from collections.abc import Iterator
from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..reading import Node
from ..results import FLAG, Given, Judged, failed, finding, guard_results
from ..words import NONE, Opinion, table

BLOCKED: Final = Opinion("block", "blocked")
ANNOTATED: Final = Opinion("flag", "annotated")
_TABLE: Final = table("google")


def guards_from_gemini(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what Gemini's filters said of the prompt and of each candidate.

    Parameters
    ----------
    response
        Of `generateContent`, by the API or the SDK. A rating below NEGLIGIBLE's neighbour is no finding; give
        `flag_from=2` to count from MEDIUM on. Without ratings or reasons of a filter the list is empty.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> rated = {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True}
    >>> [result] = guards_from_gemini({"candidates": [{"finishReason": "SAFETY", "safetyRatings": [rated]}]})
    >>> result.verdict, result.findings[0].category, result.native_result_value
    ('block', 'content.ncr', 'SAFETY')
    """
    root = Node(response, "gemini")
    feedback = root.get("prompt_feedback")
    results = _judged(feedback, "block_reason", "gemini_block_reason", "input", given)
    for candidate in root.get("candidates").items():
        results += _judged(candidate, "finish_reason", "gemini_finish_reason", "output", given)
    return results


def _judged(node: Node, reason: str, taxonomy: str, layer: str, given: Given) -> list[GuardResult]:
    """Return what ratings and a reason say together: the reason names a hazard where no rating was blocked."""
    why = node.get(reason).word()
    ratings = [one for rating in node.get("safety_ratings").items() for one in _rating(rating)]
    stopped = why is not None and _TABLE.category(taxonomy, why) != NONE
    if not ratings and not node.get("safety_ratings") and not stopped:
        return []
    if stopped and not any(one.opinion == BLOCKED for one in ratings):
        ratings.append(Judged(BLOCKED, finding(_TABLE, taxonomy, why)))
    return guard_results(
        _TABLE, ratings, given, guard_name="gemini", guard_provider="gcp.gemini", layer=layer,
        native_result_type=reason if why else None, native_result_value=why,
    )  # fmt: skip


def _rating(rating: Node) -> Iterator[Judged]:
    probability, grave = rating.get("probability").word(), rating.get("severity").word()
    level = _TABLE.severity("gemini_severity", grave)
    severity = _TABLE.severity("gemini_probability", probability) if level is None else level
    blocked = rating.get("blocked").flag()
    if blocked or severity:
        yield Judged(
            BLOCKED if blocked else ANNOTATED,
            finding(
                _TABLE, "gemini_harm", rating.get("category").word(), severity=severity,
                score=rating.get("probability_score").number(), score_bucket=probability,
                score_kind="confidence_bucket",
            ),
        )  # fmt: skip


def guards_from_model_armor(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what Model Armor found; it only advises, so give `action`, and `layer`.

    Parameters
    ----------
    response
        Of `sanitizeUserPrompt` or `sanitizeModelResponse`, or its `sanitizationResult`. A text from which personal
        data were taken out is a result of its own.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> found = {"pi_and_jailbreak": {"matchState": "MATCH_FOUND", "confidenceLevel": "HIGH"}}
    >>> answer = {"sanitizationResult": {"invocationResult": "PARTIAL", "filterMatchState": "MATCH_FOUND",
    ...                                  "filterResults": found}}
    >>> [result] = guards_from_model_armor(answer, layer="input", action="blocked")
    >>> result.status, result.verdict, result.findings[0].category
    ('partial', 'flag', 'sec.jailbreak')
    """
    outer = Node(response, "model_armor")
    root = outer.get("sanitization_result") or outer
    state, ran = root.get("filter_match_state").word(), root.get("invocation_result").word()
    status = _TABLE.words["invocation"].get(ran or "SUCCESS", "ok")
    filters = _filters(root.get("filter_results"))
    judged = [one for name, found in filters for one in _matches(name, found)]
    if state == "MATCH_FOUND" and not judged:
        judged.append(Judged(FLAG))
    native: dict[str, Any] = {"native_result_type": "filter_match_state", "native_result_value": state}
    if (status == "error" and not judged) or not (state or filters or ran):
        return failed(_TABLE, given, guard_name="model-armor", guard_provider="gcp", **native)
    skipped = any(_execution(found) == "EXECUTION_SKIPPED" for _, found in filters)
    return guard_results(
        _TABLE, judged, given, guard_name="model-armor", guard_provider="gcp",
        status="partial" if skipped or status == "error" else status, **native,
    )  # fmt: skip


def _filters(results: Node) -> list[tuple[str, Node]]:
    """Return the filters by name, each without the envelope that says its kind again."""
    return [(name[:256], _inner(found)) for name, found in results.fields().items()]


def _inner(found: Node) -> Node:
    for name, inner in found.fields().items():
        if name.replace("_", "").lower().endswith("filterresult"):
            return inner
    return found


def _execution(found: Node) -> str | None:
    inspected = found.get("inspect_result", "deidentify_result") or found
    return inspected.get("execution_state").word()


def _matches(name: str, found: Node) -> Iterator[Judged]:
    """Yield what one filter matched; the kinds of hazard of `rai` and of personal data one by one."""
    kinds = found.get("rai_filter_type_results").fields()
    if kinds:
        for kind, inner in kinds.items():
            yield from _match(kind[:256], inner)
        return
    inspected, changed = found.get("inspect_result"), found.get("deidentify_result")
    if inspected or changed:
        yield from _sensitive(inspected, changed)
        return
    yield from _match(name, found)


def _match(native: str, found: Node) -> Iterator[Judged]:
    if found.get("match_state").word() == "MATCH_FOUND":
        level = found.get("confidence_level").word()
        yield Judged(
            FLAG,
            finding(
                _TABLE, "model_armor", native, severity=_TABLE.severity("model_armor_confidence", level),
                score_bucket=level, score_kind="confidence_bucket" if level else None,
            ),
        )  # fmt: skip


def _sensitive(inspected: Node, changed: Node) -> Iterator[Judged]:
    masked = changed.get("match_state").word() == "MATCH_FOUND"
    kinds: list[tuple[str | None, str | None]] = []
    if masked:
        kinds = [(item.word(), None) for item in changed.get("info_types").items()]
    kinds += [
        (item.get("info_type").word(), item.get("likelihood").word()) for item in inspected.get("findings").items()
    ]
    if not kinds and (masked or inspected.get("match_state").word() == "MATCH_FOUND"):
        kinds = [(None, None)]
    opinion = Opinion("redact", "redacted") if masked else FLAG
    for entity, likely in kinds:
        severity = _TABLE.severity("model_armor_likelihood", likely)
        found = finding(
            _TABLE, "model_armor", "sdp", entity_type=entity, score_bucket=likely, severity=severity, count=1
        )
        yield Judged(opinion, found)
