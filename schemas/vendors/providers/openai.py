"""OpenAI: moderation, refusals and filtered answers."""

from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..reading import Node
from ..results import FLAG, Given, Judged, finding, guard_results
from ..words import Opinion, table

BLOCKED: Final = Opinion("block", "blocked")
_TABLE: Final = table("openai")


def guards_from_openai_moderation(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what a moderation found; it only advises, so give `action`, and `layer`.

    Parameters
    ----------
    response
        Of `moderations`, or one of its results. Several results, of several inputs, are one: the highest score counts.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> answer = {"results": [{"flagged": True, "categories": {"violence": True, "sexual": False},
    ...                        "category_scores": {"violence": 0.91, "sexual": 0.0003}}]}
    >>> [result] = guards_from_openai_moderation(answer, layer="output", action="none")
    >>> [(found.category, found.score) for found in result.findings]
    [('content.vcr', 0.91)]
    """
    root = Node(response, "openai_moderation")
    scores: dict[str, float | None] = {}
    flagged = False
    for result in root.get("results").items() or [root]:
        flagged |= result.get("flagged").flag()
        for name, value in result.get("categories").fields().items():
            if value.flag():
                score = result.get("category_scores").fields().get(name, Node(None, "")).number()
                scores[name[:256]] = max((s for s in (scores.get(name[:256]), score) if s is not None), default=None)
    judged = [
        Judged(FLAG, finding(_TABLE, "openai_moderation", name, score=score, score_kind="probability"))
        for name, score in scores.items()
    ]
    if flagged and not judged:
        judged.append(Judged(FLAG))
    return guard_results(
        _TABLE, judged, given, guard_name="openai-moderation", guard_provider="openai",
        guard_version=root.get("model").word(), native_id=root.get("id").word(),
        native_result_type="flagged", native_result_value="true" if flagged else "false",
    )  # fmt: skip


def guards_from_openai(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what OpenAI itself stopped: a refusal of the model, a filtered answer, an error of its policies.

    Parameters
    ----------
    response
        A chat completion, a response, or the body of an error, as they came. An ordinary answer gives no result: it
        does not say that anything was judged.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> answer = {"choices": [{"finish_reason": "stop", "message": {"refusal": "I can't help with that."}}]}
    >>> [result] = guards_from_openai(answer)
    >>> result.verdict, result.findings[0].category
    ('flag', 'qual.refusal')
    """
    root = Node(response, "openai")
    choices = root.get("choices").items()
    contents = [part for item in root.get("output").items() for part in item.get("content").items()]
    refused = any(choice.get("message", "delta").get("refusal").text() for choice in choices)
    refused |= any(part.get("type").word() == "refusal" for part in contents)
    reasons = [choice.get("finish_reason").word() for choice in choices]
    reasons.append(root.get("incomplete_details").get("reason").word())
    judged = [Judged(Opinion("flag", "none"), finding(_TABLE, "openai_refusal", "refusal"))] if refused else []
    if "content_filter" in reasons:
        judged.append(Judged(BLOCKED))
    code = (root.get("error") or root).get("code").word()
    if code in _TABLE.categories["openai_error"]:
        judged.append(Judged(BLOCKED, finding(_TABLE, "openai_error", code)))
    layer = "input" if code and not choices and not contents else "output"
    if not judged:
        return []
    return guard_results(_TABLE, judged, given, guard_name="openai", guard_provider="openai", layer=layer)
