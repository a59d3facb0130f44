"""Libraries of rails and validators: NeMo Guardrails and Guardrails AI."""

from collections.abc import Mapping
from typing import Any, Final, Unpack

from msgspec.structs import replace

from ...guards import GuardFinding, GuardResult
from ..reading import Node, snake
from ..results import UNREADABLE, Given, Judged, failed, finding, guard_results, own_finding
from ..words import Opinion, table

BLOCKED: Final = Opinion("block", "blocked")
REPLACED: Final = Opinion("redact", "replaced")
_NEMO: Final = table("nemo")
_AI: Final = table("guardrails_ai")
_INTERNAL: Final = "an internal error has occurred"
_MASKS: Final = ("mask", "redact", "anonymi")


def guards_from_nemo(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what each rail of NeMo Guardrails did.

    A rail that stopped because its action failed looks like one that blocked: it named nothing to answer, and its
    action gave nothing back. It is a guard that failed, closed. Whether a rail masked something shows only where the
    log has the text before it; the text is compared, not kept.

    Parameters
    ----------
    response
        What `generate` returned with ``log.activated_rails`` asked for, or what `check` returned. Without a log nobody
        knows what the rails said: one result of verdict `unknown`.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> rail = {"type": "input", "name": "self check input", "decisions": ["refuse to respond", "stop"], "stop": True}
    >>> [result] = guards_from_nemo({"log": {"activated_rails": [rail]}})
    >>> result.guard_name, result.layer, result.verdict
    ('self check input', 'input', 'block')
    """
    root = Node(response, "nemo")
    if root.get("status"):
        return _checked(root, given)
    log = root.get("log") or root
    if not log.get("activated_rails"):
        return guard_results(_NEMO, [Judged(UNREADABLE)], given, guard_name="nemo", guard_provider="nvidia")
    rails = log.get("activated_rails").items()
    known = {text for rail in rails for text in _texts(rail)}
    results = []
    for rail in rails:
        kind = rail.get("type").word() or ""
        if kind not in _NEMO.words["no_guard"]:
            results += _rail(rail, _NEMO.words["layer"].get(kind, "unknown"), known, given)
    return results


def _checked(root: Node, given: Given) -> list[GuardResult]:
    """Return what `check` said, which calls an error a block as well."""
    status, rail = root.get("status").word(), root.get("rail").word() or "nemo"
    native: dict[str, Any] = {
        "guard_provider": "nvidia",
        "native_result_type": "status",
        "native_result_value": status,
    }
    if status == "blocked" and isinstance(root.get("content").value, str) and _INTERNAL in root.get("content").text():
        return failed(_NEMO, given, guard_name=rail, fail_mode="closed", **native)
    opinion = _NEMO.opinion("status", status)
    judged = [] if opinion.verdict == "allow" else [Judged(opinion, _nemo_finding(rail))]
    return guard_results(_NEMO, judged, given, guard_name=rail, **native)


def _nemo_finding(rail: str) -> GuardFinding | None:
    """Return what a rail of the library looks for; a rail of somebody's own names nothing."""
    return finding(_NEMO, "nemo_flow", rail) if rail in _NEMO.categories["nemo_flow"] else None


def _rail(rail: Node, layer: str, known: set[str], given: Given) -> list[GuardResult]:
    name, stop = rail.get("name").word() or "nemo", rail.get("stop").flag()
    answers = [action.get("return_value") for action in rail.get("executed_actions").items()]
    said = [answer for answer in answers if isinstance(answer.value, dict)]
    seconds = rail.get("duration").number()
    fields: dict[str, Any] = {
        "guard_provider": "nvidia", "layer": layer, "native_source": rail.get("type").word(),
        "native_result_type": "rail.stop", "native_result_value": "true" if stop else "false",
        "latency_ms": None if seconds is None else max(0.0, seconds * 1000),
    }  # fmt: skip
    broken = any(answer.get("failed").value is True for answer in said)
    if broken or (stop and _silent(rail) and answers and not answers[0]):
        return failed(_NEMO, given, guard_name=name, fail_mode="closed" if stop else "open", **fields)
    masked = any(answer.get("decision").value == "transform" or answer.get("transforms").value for answer in said)
    masked |= not stop and any(mask in name.lower() for mask in _MASKS) and _changed(answers, known)
    opinion = BLOCKED if stop else REPLACED if masked else None
    judged = [Judged(opinion, _nemo_finding(name))] if opinion else []
    return guard_results(_NEMO, judged, given, guard_name=name, content_modified=masked or None, **fields)


def _silent(rail: Node) -> bool:
    """Tell whether a rail decided on nothing but to run its action and to stop."""
    decisions = [decision.word() or "" for decision in rail.get("decisions").items()]
    return all(decision == "stop" or decision.startswith("execute ") for decision in decisions)


def _changed(answers: list[Node], known: set[str]) -> bool:
    return bool(known) and any(isinstance(answer.value, str) and answer.value not in known for answer in answers)


def _texts(rail: Node) -> list[str]:
    """Return the texts that a rail was shown or that a model wrote in it."""
    found = []
    for action in rail.get("executed_actions").items():
        answer = action.get("return_value")
        if isinstance(answer.value, dict) and isinstance(answer.get("metadata").value, dict):
            found.append(answer.get("metadata").get("text").value)
        found += [call.get("completion").value for call in action.get("llm_calls").items()]
    return [text for text in found if isinstance(text, str)]


def guards_from_guardrails_ai(
    response: Any, *, categories: Mapping[str, str] | None = None, **given: Unpack[Given]
) -> list[GuardResult]:
    """Return what the validators of Guardrails AI said.

    `validation_passed` is true after a fix too: what failed stands in the summaries, and the text was replaced.

    Parameters
    ----------
    response
        A `ValidationOutcome`, the body of the API, or ``{"status": ..., "validator_logs": [...]}`` of a call's history,
        which alone tells a validator that raised from one that found something.
    categories
        Our codes by the name of a validator of your own.
    given
        What the caller knows; `layer` says what was judged.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> fixed = {"validation_passed": True, "raw_llm_output": "mail a@b.c", "validated_output": "mail <EMAIL>",
    ...          "validation_summaries": [{"validator_name": "DetectPII", "validator_status": "fail"}]}
    >>> [result] = guards_from_guardrails_ai(fixed, layer="output")
    >>> result.verdict, result.action, result.findings[0].category
    ('redact', 'replaced', 'sec.data_leakage.pii')
    """
    root = Node(response, "guardrails_ai")
    names = [
        (item.get("validator_name").word(), item.get("registered_name").word())
        for item in [*root.get("validation_summaries").items(), *root.get("validator_logs").items()]
        if (item.get("validator_status").word() or item.get("validation_result").get("outcome").word()) == "fail"
    ]
    opinion = _ai_history(root, names) if root.get("validator_logs", "status") else _ai_outcome(root, names)
    native: dict[str, Any] = {"guard_provider": "guardrails-ai", "native_id": root.get("call_id").word()}
    if opinion is None:
        return failed(_AI, given, guard_name="guardrails-ai", **native)
    found = [Judged(opinion, _ai_finding(*pair, categories)) for pair in names]
    judged = found or ([] if opinion.verdict == "allow" else [Judged(opinion)])
    return guard_results(_AI, judged, given, guard_name="guardrails-ai", **native)


def _ai_finding(validator: str | None, registered: str | None, categories: Mapping[str, str] | None) -> GuardFinding:
    for native in (snake((registered or "").rpartition("/")[2]), snake(validator or "")):
        if native in _AI.categories["guardrails_ai"] and validator not in (categories or {}):
            return finding(_AI, "guardrails_ai", native, validator)
    return replace(own_finding(validator, categories), native_taxonomy="guardrails_ai")


def _ai_outcome(root: Node, failing: list[Any]) -> Opinion | None:
    """Return what an outcome means; None where the guard itself failed."""
    if root.get("error") or not root.get("validation_passed"):
        return None
    out, raw = root.get("validated_output"), root.get("raw_llm_output")
    if root.get("validation_passed").flag():
        if not failing:
            return Opinion("allow", "none")
        return REPLACED if root.get("reask") or out.value != raw.value else Opinion("flag", "none")
    return Opinion("flag", "none") if out else BLOCKED


def _ai_history(root: Node, failing: list[Any]) -> Opinion | None:
    status = root.get("status").word()
    if status == "error":
        return Opinion("block", "aborted") if failing else None
    if status == "pass":
        return REPLACED if failing else Opinion("allow", "none")
    return Opinion("flag", "unknown") if status == "fail" else None
