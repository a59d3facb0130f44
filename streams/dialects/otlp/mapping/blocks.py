"""A call and its guards, told in one voice: each alone can be misunderstood."""

from typing import Any, Final

STOPPED: Final = ("blocked", "aborted")
_NOT_RUN: Final = ("error", "timeout")
_FLAGGING: Final = ("flag", "redact", "escalate")


def fault_by_guards(fault: str, guards: list[dict[str, Any]], *, failed: bool) -> str:
    """Return what ended a call, once its guards are known.

    A call that failed while a guard blocked was blocked by it. One that failed because a guard did not run is an
    error, whatever its exception is called.

    Parameters
    ----------
    fault
        What the call's error says of its outcome.
    guards
        Results on the call.
    failed
        Whether the call is an error.
    """
    blocking = any(guard.get("verdict") == "block" and guard.get("action") in STOPPED for guard in guards)
    if failed and blocking and not fault:
        return "blocked"
    failing = any(guard["status"] in _NOT_RUN for guard in guards)
    if (
        fault == "blocked"
        and failing
        and not blocking
        and not any(guard.get("verdict") in _FLAGGING for guard in guards)
    ):
        return ""
    return fault


def reconcile(outcome: str | None, guards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results of guards in the light of how the call ended.

    A guard that intervened before a call that then was answered changed the prompt and did not block it. A call that
    was blocked, by guards of which none says that it blocked, was blocked by those that flagged.
    """
    if outcome == "completed":
        return [_redacted(guard) if _intervened(guard) else guard for guard in guards]
    if outcome == "blocked" and not any(guard.get("verdict") == "block" for guard in guards):
        return [guard | {"action": "blocked"} if guard.get("verdict") == "flag" else guard for guard in guards]
    return guards


def _intervened(guard: dict[str, Any]) -> bool:
    said = str(guard.get("native_result_value", ""))
    return guard["layer"] == "input" and guard.get("action") == "blocked" and said.endswith("intervened")


def _redacted(guard: dict[str, Any]) -> dict[str, Any]:
    return guard | {"verdict": "redact", "action": "redacted"}
