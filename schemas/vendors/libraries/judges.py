"""Models that answer a question about a text with yes or no: Granite Guardian and ShieldGemma."""

import re
from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..reading import Node, model_text
from ..results import FLAG, Given, Judged, failed, finding, guard_results, probability
from ..words import table

_TABLE: Final = table("judges")
_SCORE: Final = re.compile(r"<score>\s*(\w+)\s*</score>", re.IGNORECASE)
_CONFIDENCE: Final = re.compile(r"<confidence>\s*(\w+)\s*</confidence>", re.IGNORECASE)
_THOUGHT: Final = re.compile(r"<think>.*?</think>", re.DOTALL)


def guards_from_granite_guardian(
    response: Any, *, risk: str = "harm", score: float | None = None, **given: Unpack[Given]
) -> list[GuardResult]:
    r"""Return what Granite Guardian answered; it only advises, so give `action`, and `layer`.

    Parameters
    ----------
    response
        The text that the model wrote, alone or as a server gives it: ``Yes``, or with tags of score and confidence.
    risk
        Name of the risk that it was asked for.
    score
        Probability of a yes, where it is known.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where there is no text.

    Examples
    --------
    >>> [result] = guards_from_granite_guardian("Yes\n<confidence> High </confidence>", risk="jailbreak")
    >>> result.verdict, result.findings[0].category, result.findings[0].score_bucket
    ('flag', 'sec.jailbreak', 'High')
    """
    text = _THOUGHT.sub("", model_text(response, "granite_guardian"))
    tagged, bucket = _SCORE.search(text), _CONFIDENCE.search(text)
    answer = tagged[1] if tagged else (text.split() or [""])[0]
    word = _TABLE.words["answer"].get(answer.strip(".,").lower())
    if word is None:
        return failed(_TABLE, given, guard_name="granite-guardian", guard_provider="ibm", reason="unreadable answer")
    sure = _TABLE.words["confidence"].get(bucket[1].capitalize()) if bucket else None
    kind = "probability" if score is not None else "confidence_bucket" if sure else None
    found = finding(_TABLE, "granite_guardian", risk, score=score, score_bucket=sure, score_kind=kind)
    return guard_results(
        _TABLE, [Judged(FLAG, found)] if word == "flag" else [], given, guard_name="granite-guardian",
        guard_provider="ibm", policy_rule_id=risk, native_result_type="text", native_result_value=answer.lower(),
    )  # fmt: skip


def guards_from_shield_gemma(
    response: Any, *, policy: str | None = None, threshold: float = 0.5, **given: Unpack[Given]
) -> list[GuardResult]:
    """Return what ShieldGemma answered; it only advises, so give `action`, and `layer`.

    Parameters
    ----------
    response
        The text that the model wrote, the probability of a yes, or one of both for each policy by its name.
    policy
        Name of the policy that it was asked for, where it was one.
    threshold
        Probability from which it is a finding.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> [result] = guards_from_shield_gemma({"Dangerous Content": 0.93, "Harassment": 0.02})
    >>> [(found.category, found.score) for found in result.findings]
    [('content.ncr', 0.93)]
    """
    root = Node(response, "shield_gemma")
    asked = root.fields() if isinstance(root.value, dict) else {policy or "": root}
    judged, readable = [], 0
    for name, answer in asked.items():
        score = None if isinstance(answer.value, str) else answer.number()
        word = (answer.text().split() or [""])[0].strip(".,").lower() if score is None and answer else ""
        said = _TABLE.words["answer"].get(word) if score is None else "flag" if score >= threshold else "allow"
        readable += said is not None
        if said == "flag":
            limit = None if score is None else threshold
            judged.append(Judged(FLAG, finding(_TABLE, "shield_gemma", name.lower()[:256] or None, name[:256] or None,
                                               threshold=limit, **probability(score))))  # fmt: skip
    if not readable:
        return failed(_TABLE, given, guard_name="shield-gemma", guard_provider="google", reason="unreadable answer")
    status = "ok" if readable == len(asked) else "partial"
    return guard_results(_TABLE, judged, given, guard_name="shield-gemma", guard_provider="google", status=status)
