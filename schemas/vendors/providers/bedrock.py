"""Amazon Bedrock: ApplyGuardrail, InvokeGuardrailChecks, and the traces of Converse and InvokeModel.

Both output scopes are read: FULL lists what was looked for and not found, and that is no finding. Each finding has the
action of its own policy, so an answer that anonymises one thing and only reports another is two results.
"""

from collections.abc import Iterator
from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..reading import Node, each
from ..results import FLAG, Given, Judged, finding, guard_results
from ..words import Opinion, table

BLOCKED: Final = Opinion("block", "blocked")
_TABLE: Final = table("bedrock")
_ENDED: Final = {"guardrail_intervened": "unknown", "content_filtered": "output"}


def guards_from_bedrock(response: Any, *, threshold: float = 0.5, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what a guardrail of Bedrock said.

    Parameters
    ----------
    response
        Of ApplyGuardrail, InvokeGuardrailChecks, Converse with its trace, or InvokeModel with its trace, as it came.
        The answer of ApplyGuardrail does not say what was judged: give `layer`.
    threshold
        Score from which a check of InvokeGuardrailChecks, which decides nothing itself, is a finding.
    given
        What the caller knows; see `Given`.

    Raises
    ------
    ValueError
        Where the response has another shape than Bedrock's.

    Examples
    --------
    >>> email = {"type": "EMAIL", "match": "jane@example.com", "action": "ANONYMIZED", "detected": True}
    >>> policy = {"sensitiveInformationPolicy": {"piiEntities": [email]}}
    >>> [result] = guards_from_bedrock({"action": "GUARDRAIL_INTERVENED", "assessments": [policy]}, layer="output")
    >>> result.verdict, result.action, result.findings[0].entity_type
    ('redact', 'redacted', 'EMAIL_ADDRESS')
    """
    root = Node(response, "bedrock")
    if root.get("results"):
        return _results(_checks(root.get("results"), threshold), given)
    if root.get("assessments", "action"):
        return _applied(root, given)
    traced = [*_converse(root.get("trace").get("guardrail"), given), *_invoked(root, given)]
    ended = root.get("stop_reason").word()
    if ended in _ENDED and not any(result.verdict == "block" for result in traced):
        traced += _results([Judged(BLOCKED)], given, layer=_ENDED[ended], native_type="stopReason", native_value=ended)
    return traced


def _applied(root: Node, given: Given) -> list[GuardResult]:
    action = root.get("action").word()
    judged = [one for assessment in root.get("assessments").items() for one in _assessment(assessment)]
    if _TABLE.opinion("guardrail", action).verdict != "allow" and not _enforced(judged):
        judged.append(Judged(_TABLE.opinion("guardrail", action)))
    milliseconds = [_latency(assessment) for assessment in root.get("assessments").items()]
    latency = max((found for found in milliseconds if found is not None), default=None)
    return _results(judged, given, native_type="action", native_value=action, latency_ms=latency)


def _converse(guardrail: Node, given: Given) -> list[GuardResult]:
    """Return the results of Converse's trace: one assessment of the input, and lists of them of the output."""
    judged = [("INPUT", policy, [one]) for policy, one in guardrail.get("input_assessment").fields().items()]
    for policy, several in guardrail.get("output_assessments").fields().items():
        judged.append(("OUTPUT", policy, several.items()))
    return [result for source, policy, found in judged for result in _traced(source, policy, found, given)]


def _invoked(root: Node, given: Given) -> list[GuardResult]:
    """Return the results of InvokeModel's trace, which has its own spelling."""
    guardrail = root.get("amazon-bedrock-trace").get("guardrail")
    judged = [("INPUT", policy, [one]) for policy, one in guardrail.get("input").fields().items()]
    for output in guardrail.get("outputs").items():
        judged += [("OUTPUT", policy, [one]) for policy, one in output.fields().items()]
    results = [result for source, policy, found in judged for result in _traced(source, policy, found, given)]
    action = root.get("amazon-bedrock-guardrailAction").word()
    opinion = _TABLE.opinion("guardrail", action)
    if action and opinion.verdict != "allow" and not any(result.action != "none" for result in results):
        results += _results([Judged(opinion)], given, native_type="action", native_value=action)
    return results


def _traced(source: str, policy: str, assessments: list[Node], given: Given) -> list[GuardResult]:
    judged = [one for assessment in assessments for one in _assessment(assessment)]
    latency = max((found for one in assessments if (found := _latency(one)) is not None), default=None)
    layer = _TABLE.words["layer"][source]
    return _results(judged, given, layer=layer, native_source=source, policy_id=policy[:256], latency_ms=latency)


def _results(judged: list[Judged], given: Given, **fields: Any) -> list[GuardResult]:
    kind, value = fields.pop("native_type", None), fields.pop("native_value", None)
    return guard_results(
        _TABLE, judged, given, guard_name="bedrock", guard_provider="aws.bedrock",
        native_result_type=kind, native_result_value=value, **fields,
    )  # fmt: skip


def _enforced(judged: list[Judged]) -> bool:
    return any(one.opinion.verdict not in ("allow", "flag") for one in judged)


def _latency(assessment: Node) -> float | None:
    """Return milliseconds; never negative."""
    found = assessment.get("invocation_metrics").get("guardrail_processing_latency").number()
    return None if found is None else max(0.0, found)


def _assessment(policies: Node) -> Iterator[Judged]:
    """Yield what each policy of one assessment found."""
    for item in _detected(policies.get("topic_policy").get("topics")):
        topic = item.get("type").word() or "DENY"
        yield _judged(item, "bedrock_topic", topic, named=item.get("name").word())
    for item in _detected(policies.get("content_policy").get("filters")):
        yield _content(item)
    words = policies.get("word_policy")
    for item in _detected(words.get("custom_words")):
        yield _judged(item, "bedrock_word", "custom", count=1)
    for item in _detected(words.get("managed_word_lists")):
        yield _judged(item, "bedrock_word", item.get("type").word(), count=1)
    yield from _sensitive(policies.get("sensitive_information_policy"))
    for item in policies.get("contextual_grounding_policy").get("filters").items():
        yield from _grounding(item)
    for item in policies.get("automated_reasoning_policy").get("findings").items():
        for kind in item.fields():
            yield Judged(FLAG, finding(_TABLE, "bedrock_reasoning", kind[:256]))


def _content(item: Node) -> Judged:
    confidence = item.get("confidence").word()
    return _judged(
        item, "bedrock_content", item.get("type").word(), score_kind="confidence_bucket",
        score_bucket=confidence, severity=_TABLE.severity("confidence", confidence),
    )  # fmt: skip


def _sensitive(policy: Node) -> Iterator[Judged]:
    for item in _detected(policy.get("pii_entities")):
        native = item.get("type").word()
        yield _judged(item, "bedrock_pii", native, entity_type=_TABLE.entities.get(native or "", native), count=1)
    for item in _detected(policy.get("regexes")):
        yield _judged(item, "bedrock_pii", "regex", entity_type=item.get("name").word(), count=1)


def _grounding(item: Node) -> Iterator[Judged]:
    """Yield a finding where a score is under its threshold; told as the probability of the fault."""
    score, threshold = item.get("score").number(), item.get("threshold").number()
    under = score is not None and threshold is not None and score < threshold
    if item.get("action").word() == "BLOCKED" or (item.get("detected").flag() if item.get("detected") else under):
        yield _judged(
            item, "bedrock_grounding", item.get("type").word(), score_kind="probability",
            score=None if score is None else round(1 - score, 6),
            threshold=None if threshold is None else round(1 - threshold, 6),
        )  # fmt: skip


def _detected(found: Node) -> Iterator[Node]:
    """Yield what was found; without `detected`, as older answers are, what is listed was found."""
    for item in each(found):
        listed = item.get("confidence").word() != "NONE"
        if item.get("detected").flag() if item.get("detected") else listed:
            yield item


def _judged(item: Node, taxonomy: str, native: str | None, **fields: Any) -> Judged:
    return Judged(_TABLE.opinion("policy", item.get("action").word()), finding(_TABLE, taxonomy, native, **fields))


def _checks(results: Node, threshold: float) -> list[Judged]:
    """Return what the checks that decide nothing found, by their scores."""
    judged = []
    for item in each(results.get("content_filter").get("results"), results.get("prompt_attack").get("results")):
        score = item.get("severity_score").number()
        scored: dict[str, Any] = {"score": score, "score_kind": "severity", "threshold": threshold}
        if score is not None and score >= threshold:
            judged.append(Judged(FLAG, finding(_TABLE, "bedrock_content", item.get("category").word(), **scored)))
    for item in results.get("sensitive_information").get("results").items():
        score, native = item.get("confidence_score").number(), item.get("type").word()
        if score is None or score >= threshold:
            entity = _TABLE.entities.get(native or "", native)
            judged.append(
                Judged(FLAG, finding(_TABLE, "bedrock_pii", native, entity_type=entity, score=score, count=1))
            )
    return judged
