"""Guardrails of the OpenAI Agents SDK, and the library openai-guardrails."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Unpack

from ...guards import GuardFinding, GuardResult
from ..reading import Node
from ..results import Given, Judged, failed, finding, guard_results, own_finding, probability
from ..words import Opinion, table

TRIPPED: Final = Opinion("block", "aborted")
NOTED: Final = Opinion("flag", "none")
MASKED: Final = Opinion("redact", "redacted")
_TABLE: Final = table("openai")
_LAYERS: Final = _TABLE.words["list"]


def guards_from_openai_agents(
    response: Any, *, categories: Mapping[str, str] | None = None, **given: Unpack[Given]
) -> list[GuardResult]:
    """Return what each guardrail of an agent's run said.

    Parameters
    ----------
    response
        A run's result, the exception of a tripwire (its `run_data` holds what other guardrails said), or a span of kind
        `guardrail`. A guardrail that raised has no result; its span has an error.
    categories
        Our codes by your own words: those of ``output_info["category"]``, or the names of guardrails.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> said = {"guardrail": "no_violence", "output": {"output_info": {"category": "violence"},
    ...                                                "tripwire_triggered": True}}
    >>> [result] = guards_from_openai_agents({"input_guardrail_results": [said]})
    >>> result.guard_name, result.verdict, result.action, result.findings[0].category
    ('no_violence', 'block', 'aborted', 'content.vcr')
    """
    root = Node(response, "openai_agents")
    span = root.get("span_data") or root
    if span.get("type").word() == "guardrail":
        return _span(span, root.get("error"), categories, given)
    results = []
    for one, layer in _said(root):
        results += _guardrail(one, layer, categories, given)
    return results


def _said(root: Node) -> Iterator[tuple[Node, str]]:
    """Yield what guardrails said, with what they judged; an exception repeats what its run's data have."""
    told = []
    for place in (root, root.get("run_data")):
        for name, layer in _LAYERS.items():
            for one in place.get(name).items():
                told.append(one.value)
                yield one, layer
    raised = root.get("guardrail_result")
    if raised and raised.value not in told:
        yield raised, "output" if "agent_output" in raised.fields() else "input"
    kind = root.get("raised").word() or ""
    if kind.startswith("Tool") and kind.endswith("TripwireTriggered") and not raised:
        halted = {"behavior": {"type": "raise_exception"}} | (root.get("output").value or {})
        named = Node({"guardrail": root.get("guardrail").value, "output": halted}, root.path)
        yield named, "tool_result" if kind.startswith("ToolOutput") else "tool_call"


def _span(span: Node, error: Node, categories: Mapping[str, str] | None, given: Given) -> list[GuardResult]:
    name, triggered = span.get("name").word() or "openai-agents", span.get("triggered").flag()
    if error:
        return failed(_TABLE, given, guard_name=name, guard_provider="openai")
    found = [Judged(TRIPPED, _named(name, categories))] if triggered else []
    return guard_results(
        _TABLE, found, given, guard_name=name, guard_provider="openai",
        native_result_type="triggered", native_result_value="true" if triggered else "false",
    )  # fmt: skip


def _guardrail(one: Node, layer: str, categories: Mapping[str, str] | None, given: Given) -> list[GuardResult]:
    guardrail, output = one.get("guardrail"), one.get("output")
    known = guardrail.get("name") if isinstance(guardrail.value, dict) else guardrail
    name = (known.word() if isinstance(known.value, str) else None) or "openai-agents"
    info, behaviour = output.get("output_info"), output.get("behavior").get("type").word()
    tripped = output.get("tripwire_triggered").flag()
    opinion = _TABLE.opinion("tool_behavior", behaviour) if behaviour else TRIPPED if tripped else None
    noted = isinstance(info.value, dict) and info.get("flagged", "detected").value is True
    if opinion is None or opinion.verdict == "allow":
        opinion = NOTED if noted else None
    judged = [Judged(opinion, _found(info, name, categories))] if opinion else []
    return guard_results(
        _TABLE, judged, given, guard_name=name, guard_provider="openai", layer=layer,
        native_result_type="behavior" if behaviour else "tripwire_triggered",
        native_result_value=behaviour or ("true" if tripped else "false"),
    )  # fmt: skip


def _found(info: Node, name: str, categories: Mapping[str, str] | None) -> GuardFinding | None:
    """Return what a guardrail says in words of its own, if it names a category; else what its name stands for."""
    if isinstance(info.value, dict):
        word, score = info.get("category").value, info.get("score", "confidence").value
        if isinstance(word, str) and word:
            number = score if isinstance(score, float) and 0 <= score <= 1 else None
            return own_finding(info.get("category").word(), categories, **probability(number))
    return _named(name, categories)


def _named(name: str, categories: Mapping[str, str] | None) -> GuardFinding | None:
    return own_finding(name, categories) if name in (categories or {}) else None


def guards_from_openai_guardrails(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what each check of the library openai-guardrails said.

    A check that failed says that its tripwire was not triggered, and the library goes on: that is a guard that failed,
    open. Personal data that were masked trigger nothing either. `info` holds raw matches: they are counted, not kept.

    Parameters
    ----------
    response
        A result, a list of them, a response's `guardrail_results`, or the exception of a tripwire.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> check = {"tripwire_triggered": False, "execution_failed": True, "info": {"guardrail_name": "Jailbreak"}}
    >>> [result] = guards_from_openai_guardrails(check)
    >>> result.guard_name, result.status, result.fail_mode
    ('Jailbreak', 'error', 'open')
    """
    root = Node(response, "openai_guardrails")
    if isinstance(root.value, list):
        checks = [(item, "unknown") for item in root.items()]
    else:
        stages = root.get("guardrail_results") or root
        checks = [(one, layer) for stage, layer in _TABLE.words["stage"].items() for one in _stage(stages, stage)]
        checks = checks or [(root.get("guardrail_result") or root, "unknown")]
    return [result for check, layer in checks for result in _check(check, layer, given)]


def _stage(stages: Node, name: str) -> list[Node]:
    found = stages.get(name)
    return found.items() if isinstance(found.value, list) else []


def _check(check: Node, layer: str, given: Given) -> list[GuardResult]:
    info, tripped = check.get("info"), check.get("tripwire_triggered").flag()
    name, stage = info.get("guardrail_name").word() or "openai-guardrails", info.get("stage_name").word()
    fields: dict[str, Any] = {
        "guard_provider": "openai", "layer": _TABLE.words["stage"].get(stage or "", layer), "native_source": stage,
        "native_result_type": "tripwire_triggered", "native_result_value": "true" if tripped else "false",
    }  # fmt: skip
    if check.get("execution_failed").flag() or (not tripped and info.get("error", "error_message")):
        return failed(_TABLE, given, guard_name=name, **{"fail_mode": "open"} | fields)
    masked = info.get("pii_detected").value is True
    opinion = TRIPPED if tripped else MASKED if masked else NOTED if info.get("flagged").value is True else None
    judged = [Judged(opinion, found) for found in _findings(info, name)] if opinion else []
    return guard_results(_TABLE, judged, given, guard_name=name, **fields)


def _findings(info: Node, name: str) -> list[GuardFinding]:
    """Return what a check found: kinds of personal data, categories of a moderation, else the check itself."""
    kinds = info.get("detected_entities")
    if isinstance(kinds.value, dict) and kinds.value:
        return [
            finding(_TABLE, "openai_guardrails", name, name, entity_type=kind[:128], count=_size(matches))
            for kind, matches in kinds.fields().items()
        ]
    flagged = info.get("flagged_categories")
    if isinstance(flagged.value, list) and flagged.value:
        return [finding(_TABLE, "openai_moderation", item.word()) for item in flagged.items()]
    count = next((_size(found) for key in ("detected_secrets", "matched", "blocked") if (found := info.get(key))), None)
    score, limit = info.get("confidence").number(), info.get("threshold").number()
    return [finding(_TABLE, "openai_guardrails", name, threshold=limit, count=count, **probability(score))]


def _size(matches: Node) -> int:
    return max(1, len(matches.value)) if isinstance(matches.value, list) else 1
