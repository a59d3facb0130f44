"""Results of the guards around a call, and warnings about those that say less than they seem to."""

from typing import Any, Final

import msgspec

from schemas.vendors import guards_from_litellm

Guard = dict[str, Any]

_SILENT: Final = (
    "guard {name!r} ran and says nothing of its own ({value}): LiteLLM writes the same where it could not be reached "
    "and failed open; it counts as unknown, not as clean. Let it fail closed, or log its answer"
)
_NO_RECORD: Final = (
    "guard {name!r} stopped the call and left no record of that verdict; it is made from the error of the call"
)


def guards_of(record: dict[str, Any]) -> tuple[list[Guard], tuple[str, ...]]:
    """Return the results of a call's guards, and the warnings.

    Raises
    ------
    ValueError
        Where the records of the guards have another shape than LiteLLM's.
    """
    found = msgspec.to_builtins(guards_from_litellm(record))
    return found, tuple(dict.fromkeys(warning for guard in found if (warning := _warning(guard))))


def _warning(guard: Guard) -> str | None:
    if guard["status"] == "ok" and guard.get("verdict") == "unknown":
        return _SILENT.format(name=guard["guard_name"], value=guard.get("native_result_value") or "no status")
    return _NO_RECORD.format(name=guard["guard_name"]) if guard.get("native_result_type") == "error" else None
