"""LiteLLM: what its proxy recorded of guardrails, whoever made them.

A record is read by what the guard itself answered where that is there, because the status of a record hides much: a
block by Lakera and a masking are `success`, and so is a guard that could not be reached and let through. Records are
copied into each attempt of a call; who counts calls counts attempts apart from them.
"""

import re
from collections.abc import Callable
from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..providers.bedrock import guards_from_bedrock
from ..providers.google import guards_from_model_armor
from ..providers.openai import guards_from_openai_moderation
from ..reading import Node, snake
from ..results import UNREADABLE, Given, Judged, failed, finding, guard_results, own_finding
from ..words import Opinion, table
from .lakera import guards_from_lakera
from .scanners import guards_from_presidio

BLOCKED: Final = Opinion("block", "blocked")
REDACTED: Final = Opinion("redact", "redacted")
_TABLE: Final = table("litellm")
_BLOCKS: Final = re.compile(r"guardrail|content safety|violated|blocked", re.IGNORECASE)
_LATE: Final = re.compile(r"time[d -]?\s?out", re.IGNORECASE)
_NAMED: Final = re.compile(r"'guardrail_name': '([^']{1,128})'")
_READERS: Final[dict[str, Callable[..., list[GuardResult]]]] = {
    "assessments": guards_from_bedrock,
    "sanitizationResult": guards_from_model_armor,
    "results": guards_from_openai_moderation,
    "breakdown": guards_from_lakera,
    "flagged": guards_from_lakera,
}
"""By a field that only the answer of that guard has."""


def guards_from_litellm(payload: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what each guardrail of a call said.

    Parameters
    ----------
    payload
        A `StandardLoggingPayload`, or its `guardrail_information` alone. Only the whole payload tells whether a guard
        that advises was obeyed, and whether something was blocked that no record speaks of.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the payload has another shape.

    Examples
    --------
    >>> record = {"guardrail_name": "bedrock-post", "guardrail_mode": "post_call",
    ...           "guardrail_status": "guardrail_intervened", "violation_categories": ["VIOLENCE"]}
    >>> [result] = guards_from_litellm({"status": "failure", "guardrail_information": [record]})
    >>> result.layer, result.verdict, result.action, result.findings[0].category
    ('output', 'block', 'blocked', 'content.vcr')
    """
    root = Node(payload, "litellm")
    known = root if isinstance(root.value, list) or root.get("guardrail_name") else root.get("guardrail_information")
    records = known.items() if isinstance(known.value, list) else [known] if known else []
    error = {} if known is root else root.get("error_information").fields()
    message = error["error_message"].value if "error_message" in error else None
    said = message if isinstance(message, str) else ""
    failure = known is not root and root.get("status").word() == "failure"
    stopped = failure and (_is_block(error, said) or (_is_refusal(error) and any(map(_flagged, records))))
    results = [result for record in records for result in _record(record, given, stopped=stopped, failed_call=failure)]
    if stopped and not any(result.action == "blocked" or result.status != "ok" for result in results):
        results += _unrecorded(said, records, given)
    return results


def _is_block(error: dict[str, Node], said: str) -> bool:
    """Tell whether a call failed because a guard stopped it: by what was raised, never by what a provider says."""
    raised = error["error_class"].word() if "error_class" in error else None
    return raised in _TABLE.words["raised"] or (raised == "HTTPException" and bool(_BLOCKS.search(said)))


def _is_refusal(error: dict[str, Node]) -> bool:
    """Tell whether the proxy itself refused the request, and not for a fault of its own."""
    raised, code = (error[name].word() if name in error else None for name in ("error_class", "error_code"))
    return raised == "HTTPException" and code in ("400", "403")


def _flagged(record: Node) -> bool:
    answer = record.get("guardrail_response")
    return isinstance(answer.value, dict) and answer.get("flagged").value is True


def _unrecorded(said: str, records: list[Node], given: Given) -> list[GuardResult]:
    """Return the block that no record speaks of: of the output, where the guard's record of the input says success."""
    named = _NAMED.search(said)
    name = named[1] if named else "litellm"
    passed = any(record.get("guardrail_name").word() == name for record in records)
    layer = "output" if passed and "post_call" in said else "unknown"
    return guard_results(_TABLE, [Judged(BLOCKED)], given, guard_name=name, layer=layer, native_result_type="error")


def _record(record: Node, given: Given, *, stopped: bool, failed_call: bool) -> list[GuardResult]:
    mode, status = _mode(record.get("guardrail_mode")), record.get("guardrail_status").word()
    name, seconds = record.get("guardrail_name").word() or "litellm", record.get("duration").number()
    fields: dict[str, Any] = {
        "guard_provider": record.get("guardrail_provider").word(), "native_source": mode,
        "layer": _TABLE.words["mode"].get(mode or "", "unknown"), "policy_id": record.get("guardrail_id").word(),
        "native_result_type": "guardrail_status", "native_result_value": status,
        "latency_ms": None if seconds is None else max(0.0, seconds * 1000),
    }  # fmt: skip
    ran = _TABLE.words["status"].get(status or "", "error")
    if ran == "error" and _LATE.search(str(record.get("guardrail_response").value)[:2_000]):
        ran = "timeout"
    if ran != "ok":
        fail_mode = None if ran == "skipped" else "closed" if failed_call else "open"
        return failed(_TABLE, given, guard_name=name, status=ran, fail_mode=fail_mode, **fields)
    blocked = stopped or status == "guardrail_intervened"
    answered = _answered(record, name, given, fields, blocked=blocked)
    if answered and (status != "guardrail_intervened" or any(result.action == "blocked" for result in answered)):
        return answered
    told = [one for result in answered for one in _again(result)]
    opinion = _TABLE.opinion("status", status)
    judged = [*told, *_listed(record, opinion), *_masked(record, told), *_doubtful(record, status)]
    if opinion.verdict != "allow" and not any(one.opinion == opinion for one in judged):
        judged.append(Judged(opinion))
    return guard_results(_TABLE, judged, given, guard_name=name, **fields)


def _mode(mode: Node) -> str | None:
    """Return the mode of a record, which is a text or a list."""
    if isinstance(mode.value, list):
        return next((item.word() for item in mode.items() if isinstance(item.value, str)), None)
    return mode.word() if isinstance(mode.value, str) else None


def _answered(record: Node, name: str, given: Given, fields: dict[str, Any], *, blocked: bool) -> list[GuardResult]:
    """Return what the guard's own answer says, where it is one that we read."""
    answer = record.get("guardrail_response")
    masked = bool(record.get("masked_entity_count").fields())
    action = "blocked" if blocked else "redacted" if masked else "none"
    own: Any = {"guard_name": name, "layer": fields["layer"], "action": action, **given}
    if fields["latency_ms"] is not None:
        own["latency_ms"] = fields["latency_ms"]
    if isinstance(answer.value, dict):
        reader = next((read for key, read in _READERS.items() if answer.get(snake(key), key)), None)
        return reader(answer.value, **own) if reader else []
    items = answer.items() if isinstance(answer.value, list) else []
    if items and all(isinstance(item.value, dict) and item.get("entity_type") for item in items):
        return guards_from_presidio(answer.value, **own)
    judged = [_filtered(item) for item in items if isinstance(item.value, dict)]
    return guard_results(_TABLE, judged, given, guard_name=name, **fields) if judged else []


def _filtered(item: Node) -> Judged:
    """Return one hit of the proxy's own content filter; the words that matched are not kept."""
    kind, level = item.get("type").word(), item.get("severity").word()
    pattern, category = item.get("pattern_name").word(), item.get("category").word()
    opinion = _TABLE.opinion("content_filter_action", item.get("action").word())
    if pattern in _TABLE.categories["litellm_pattern"]:
        return Judged(opinion, finding(_TABLE, "litellm_pattern", pattern, entity_type=pattern, count=1))
    severity = _TABLE.severity("litellm_content_filter", level)
    named = category or pattern
    known = category if category in _TABLE.categories["litellm_content_filter"] else kind
    return Judged(opinion, finding(_TABLE, "litellm_content_filter", known, named, severity=severity, count=1))


def _again(result: GuardResult) -> list[Judged]:
    opinion = Opinion(result.verdict or "unknown", result.action or "unknown")
    return [Judged(opinion, found) for found in result.findings or []]


def _listed(record: Node, opinion: Opinion) -> list[Judged]:
    """Return the categories that a record names itself, in the words of whichever guard it was."""
    judged = []
    for item in record.get("violation_categories").items():
        native = item.word()
        for vendor, taxonomy in (("bedrock", "bedrock_content"), ("openai", "openai_moderation")):
            if native in table(vendor).categories[taxonomy]:
                judged.append(Judged(opinion, finding(table(vendor), taxonomy, native)))
                break
        else:
            judged.append(Judged(opinion, own_finding(native, None)))
    return judged


def _masked(record: Node, told: list[Judged]) -> list[Judged]:
    """Return what was masked, by kind and count, where the answer did not say it."""
    if any(one.opinion.verdict == "redact" for one in told):
        return []
    judged = []
    for kind, number in record.get("masked_entity_count").fields().items():
        known = "litellm_pattern" if kind in _TABLE.categories["litellm_pattern"] else None
        words, taxonomy = (_TABLE, known) if known else (table("presidio"), "presidio")
        native = kind[:128] if known or kind in words.categories[taxonomy] else "PERSON"
        count = int(max(0.0, number.number() or 0))
        judged.append(
            Judged(REDACTED, finding(words, taxonomy, native, kind[:128], entity_type=kind[:128], count=count))
        )
    return judged


def _doubtful(record: Node, status: str | None) -> list[Judged]:
    """Return that nobody knows what a guard said: success without an answer of its own.

    `allow` and `mask` are the proxy's words about its hook; it writes `allow`, nothing, or Presidio's empty list also
    where a guard could not be reached and let through. An empty answer of a guard that was asked, by what it used, is a
    clean one.
    """
    answer, asked = record.get("guardrail_response").value, record.get("guardrail_usage").fields()
    nothing = answer in ({}, "allow") or (answer == [] and record.get("guardrail_provider").word() == "presidio")
    empty = (nothing and not asked) or (answer == "mask" and not record.get("masked_entity_count").value)
    return [Judged(UNREADABLE)] if status == "success" and empty else []
