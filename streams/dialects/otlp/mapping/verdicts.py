"""Results of guards, moderations and evaluations, from spans, span events and log records."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from streams.dialects.otlp.tables.aliases import VERSION
from streams.dialects.otlp.tables.readers import plain
from streams.dialects.otlp.tables.words import ACTIONS, CATEGORIES, GUARD_STATUSES, LAYERS, ON_FAIL, VERDICTS

Result = dict[str, Any]
_NATIVE: Final = {
    "guard_provider": "guard_provider",
    "guard_policy": "policy_id",
    "guard_policy_version": "policy_version",
    "guard_rule": "policy_rule_id",
    "guard_result_type": "native_result_type",
    "guard_result_value": "native_result_value",
    "guard_reason": "reason",
}
_PII: Final = "sec.data_leakage.pii"
_FLAGGING: Final = ("flag", "redact", "block", "escalate")


def guard_of(fields: Mapping[str, Any], name: str, *, failed: bool, fault: str, latency_ms: float | None) -> Result:
    """Return the result of one guard in the contract's words, its native values beside them.

    Parameters
    ----------
    fields
        As `said_of` reads them.
    name
        What the guard is called where no attribute names it.
    failed, fault
        Whether its span is an error, and what that error says of the outcome.
    latency_ms
        How long it took.
    """
    result: Result = {"guard_name": fields.get("guard_name") or name or "unnamed", "layer": _layer(fields)}
    result["status"] = _status(fields, failed=failed and fault != "blocked")
    verdict = _own(fields).get("verdict") or ("block" if fault == "blocked" else _verdict(fields))
    if verdict:
        result["verdict"] = verdict
        if action := _action(fields, verdict):
            result["action"] = action
    if "logging_only" in fields.get("guard_mode", ()):
        result["mode"] = "monitor"
    result |= {ours: fields[native] for native, ours in _NATIVE.items() if native in fields}
    if modes := fields.get("guard_mode"):
        result["native_source"] = modes[0]
    _keep_native(fields, result)
    if findings := list(_findings(fields, result, verdict)):
        result["findings"] = findings
    if latency_ms is not None:
        result["latency_ms"] = latency_ms
    return result | _own(fields)


def evaluation_of(fields: Mapping[str, Any], name: str) -> Result:
    """Return the result of an evaluation: a guard that judges an output afterwards and enforces nothing."""
    named = fields.get("evaluation_name") or name or "unnamed"
    label = fields.get("evaluation_label")
    failed = "error_type" in fields
    result: Result = {"guard_name": named, "layer": "output", "status": "error" if failed else "ok", "action": "none"}
    if label:
        result |= {"native_result_type": "score.label", "native_result_value": label}
        if verdict := VERDICTS.get(plain(label)):
            result["verdict"] = verdict if verdict == "allow" else "flag"
    category = CATEGORIES.get(plain(named))
    if category and (result.get("verdict") == "flag" or "evaluation_score" in fields):
        finding = {"category": category, "native_category": named}
        if "evaluation_score" in fields:
            finding["score"] = fields["evaluation_score"]
        result["findings"] = [finding]
    return result | _own(fields)


def _own(fields: Mapping[str, Any]) -> Result:
    """Return what our own attributes say, which stands before all others, and the version of the tables."""
    said = fields.get("own_guard", {})
    return {name: value for name, value in said.items() if name != "severity"} | {"mapping_version": VERSION}


def _layer(fields: Mapping[str, Any]) -> str:
    return next((LAYERS[word] for word in map(plain, fields.get("guard_mode", ())) if word in LAYERS), "unknown")


def _status(fields: Mapping[str, Any], *, failed: bool) -> str:
    native = fields.get("guard_status", "")
    if native in GUARD_STATUSES:
        return GUARD_STATUSES[native]
    if native in VERDICTS or not failed:
        return "ok"
    return "error"


def _verdict(fields: Mapping[str, Any]) -> str | None:
    """Return the gravest that any of its attributes says, None where none says anything."""
    said = [VERDICTS.get(fields.get(name, "")) for name in ("guard_action", "guard_status")]
    if "guard_triggered" in fields:
        said.append("block" if fields["guard_triggered"] else "allow")
    if "guard_flagged" in fields:
        said.append("flag" if fields["guard_flagged"] else "allow")
    if "guard_passed" in fields:
        said.append("allow" if fields["guard_passed"] else "flag")
    if "guard_masked" in fields:
        said.append("redact")
    if value := fields.get("guard_result_value"):
        said.append(VERDICTS.get(plain(value)))
    if said == [None, None]:
        said.append(VERDICTS.get(fields.get("guard_outcome", "")))
    order = ("block", "escalate", "redact", "flag", "allow")
    return next((verdict for verdict in order if verdict in said), None)


def _action(fields: Mapping[str, Any], verdict: str) -> str | None:
    """Return what was enforced: only some attributes say that the guard acted, not just spoke."""
    if fields.get("guard_triggered") and "guard_action" not in fields:
        return "aborted" if "rail_stop" not in fields else "blocked"
    if verdict == "flag" and "guard_on_fail" in fields:
        return ON_FAIL.get(fields["guard_on_fail"])
    acted = VERDICTS.get(fields.get("guard_action", "")) or VERDICTS.get(fields.get("guard_status", ""))
    if "guard_masked" in fields and verdict == "redact":
        return "redacted"
    return ACTIONS.get(acted) if acted == verdict else None


def _keep_native(fields: Mapping[str, Any], result: Result) -> None:
    """Keep the word by which a guard said its verdict, where no attribute is named as its native result."""
    for name in ("guard_action", "guard_status", "guard_triggered", "guard_flagged", "guard_passed"):
        if name in fields and "native_result_value" not in result:
            result |= {
                "native_result_type": name.removeprefix("guard_"),
                "native_result_value": str(fields[name]).lower(),
            }


def _findings(fields: Mapping[str, Any], result: Result, verdict: str | None) -> Iterator[dict[str, Any]]:
    if verdict not in _FLAGGING:
        return
    for entity, count in fields.get("guard_masked", {}).items():
        yield {"category": _PII, "count": count} | ({"entity_type": entity} if entity else {})
    natives = fields.get("guard_categories", [])
    score = {"score": fields["guard_score"]} if "guard_score" in fields and len(natives) == 1 else {}
    if "severity" in fields.get("own_guard", ()):
        score["severity"] = fields["own_guard"]["severity"]
    for native in natives:
        yield {"category": CATEGORIES.get(plain(native), plain(native)), "native_category": native} | score
    by_name = CATEGORIES.get(plain(result["guard_name"]))
    if by_name and not natives and "guard_masked" not in fields:
        yield {"category": by_name, "native_category": result["guard_name"]} | score
