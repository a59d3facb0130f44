"""Results of the guards around a call, from `guardrail_information` and from the error that a guard raised.

LiteLLM's own status is about the hook and says little of the guard: a guard that flags and blocks may be a success,
and so is one that could not be reached and lets everything through. What decides is the guard's own answer, where it
is there, and the error of the call. A result without either has the verdict `unknown`.
"""

from collections.abc import Sequence
from typing import Any, Final

from streams.dialects.litellm.evidence import evidence_of
from streams.dialects.litellm.outcome import blocker
from streams.dialects.litellm.words import LAYERS
from streams.dialects.values import first, milliseconds, present, rows, text

Guard = dict[str, Any]

FAILED: Final = "guardrail_failed_to_respond"
INTERVENED: Final = "guardrail_intervened"
_TIMED_OUT: Final = ("timeout", "timed out", "time-out")
_SILENT: Final = (
    "guard {name!r} ran and says nothing of its own ({value}): LiteLLM writes the same where it could not be reached "
    "and failed open; it counts as unknown, not as clean. Let it fail closed, or log its answer"
)
_NO_RECORD: Final = (
    "guard {name!r} stopped the call by an error and left no record of that verdict; it is made from the error"
)


def guards_of(record: dict[str, Any]) -> tuple[list[Guard], tuple[str, ...]]:
    """Return the results of a call's guards, and warnings about those that say less than they seem to."""
    records = rows(record.get("guardrail_information"))
    failed = record.get("status") == "failure"
    named = blocker(record) if failed else None
    found = [_result(item, failed=failed, stopped=named is not None) for item in records]
    warnings = list(dict.fromkeys(warning for guard in found if (warning := _silent(guard))))
    if named is not None and not any(guard["action"] == "blocked" or guard["status"] == "error" for guard in found):
        warnings += _add_block(found, *named)
    return [present(guard) for guard in found], tuple(warnings)


def _result(item: dict[str, Any], *, failed: bool, stopped: bool) -> Guard:
    status, evidence = text(item.get("guardrail_status")), evidence_of(item)
    guard: Guard = {
        "guard_name": text(item.get("guardrail_name")) or "unnamed",
        "guard_provider": text(item.get("guardrail_provider")),
        "layer": layer_of(_modes(item)),
        "mode": "monitor" if "logging_only" in _modes(item) else None,
        "status": "ok",
        "verdict": evidence.verdict,
        "action": evidence.action,
        "policy_id": text(item.get("guardrail_id")),
        "native_result_type": "guardrail_status",
        "native_result_value": status,
        "latency_ms": milliseconds(item.get("duration")),
    }
    if status == FAILED:
        said = str(item.get("guardrail_response")).lower()
        late = any(word in said for word in _TIMED_OUT)
        guard |= {"status": "timeout" if late else "error", "verdict": None, "action": "none"}
        guard |= {
            "fail_mode": "closed" if failed else "open",
        }
    elif status == INTERVENED and (stopped or guard["action"] != "redacted"):
        guard |= {"verdict": "block", "action": "blocked"}
    elif status == "not_run":
        guard |= {"status": "skipped", "verdict": None, "action": "none"}
    return guard


def _modes(item: dict[str, Any]) -> list[str]:
    mode = item.get("guardrail_mode")
    return [mode] if isinstance(mode, str) else [name for name in mode or [] if isinstance(name, str)]


def layer_of(modes: Sequence[str]) -> str:
    """Return what the hooks judge, or `unknown` where they judge different things.

    >>> layer_of(["post_call"]), layer_of(["pre_call", "during_call"]), layer_of(["pre_call", "post_call"])
    ('output', 'input', 'unknown')
    """
    layers = {LAYERS.get(mode, "unknown") for mode in modes}
    return layers.pop() if len(layers) == 1 else "unknown"


def _silent(guard: Guard) -> str | None:
    if guard["status"] != "ok" or guard["verdict"] != "unknown":
        return None
    return _SILENT.format(name=guard["guard_name"], value=guard["native_result_value"] or "no status")


def _add_block(found: list[Guard], name: str | None, modes: Sequence[str]) -> list[str]:
    """Mark the result of the guard that stopped the call, or add it where LiteLLM recorded none."""
    candidates = [guard for guard in found if name in (None, guard["guard_name"])]
    flagged = [guard for guard in candidates if guard["verdict"] in ("flag", "redact")]
    if flagged or (name is None and candidates):
        (flagged or candidates)[-1].update(verdict="block", action="blocked")
        return []
    judged = {guard["layer"] for guard in candidates}
    left = [mode for mode in modes if LAYERS.get(mode) not in judged] or list(modes)
    found.append(
        {
            "guard_name": first(name) or "unnamed",
            "layer": layer_of(left),
            "status": "ok",
            "verdict": "block",
            "action": "blocked",
            "native_result_type": "error",
            "native_result_value": "raised",
        }
    )
    return [_NO_RECORD.format(name=found[-1]["guard_name"])]
