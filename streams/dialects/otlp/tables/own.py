"""Attributes of our own, `watchkeeper.*`: what no convention has, read as the contract types it."""

from typing import Any, Final, get_type_hints

import msgspec

from schemas.events import AgentStep, Inference, Retrieval
from schemas.fields import Level
from schemas.guards import GuardResult
from streams.dialects.otlp.tables.readers import structure

EVENT: Final = "watchkeeper."
GUARD: Final = "watchkeeper.guard."
_GUARD_TYPES: Final = get_type_hints(GuardResult, include_extras=True) | {"severity": Level}
_TYPES: Final = {
    name: kind for event in (Inference, AgentStep, Retrieval)
    for name, kind in get_type_hints(event, include_extras=True).items()
}  # fmt: skip
_FIELDS: Final[dict[type, frozenset[str]]] = {
    kind: frozenset(kind.__struct_fields__) for kind in (Inference, AgentStep, Retrieval)
}


def own_value(key: str, value: Any) -> Any:
    """Return the value of one of our attributes; None for what is blank or does not fit the contract.

    Parameters
    ----------
    key
        The attribute, which the table knows.
    value
        As the emitter set it; lists and objects may be JSON.

    >>> own_value("watchkeeper.reached_user", "false"), own_value("watchkeeper.turn_index", -1)
    (False, None)
    >>> own_value("watchkeeper.guard.findings", '[{"category": "sec.jailbreak", "severity": 3}]')
    [{'category': 'sec.jailbreak', 'severity': 3}]
    """
    kind = _GUARD_TYPES[key.removeprefix(GUARD)] if key.startswith(GUARD) else _TYPES[key.removeprefix(EVENT)]
    if isinstance(value, str) and value[:1] in ("[", "{"):
        value = structure(value)
    if value in (None, ""):
        return None
    try:
        return msgspec.to_builtins(msgspec.convert(value, kind, strict=False))
    except msgspec.ValidationError:
        return None


def own_fields(fields: dict[str, Any], kind: type) -> dict[str, Any]:
    """Return what our attributes say of an event of this kind; what is of another kind is passed over.

    Parameters
    ----------
    fields
        As `fields_of` reads them.
    """
    own: dict[str, Any] = fields.get("own", {})
    return {name: value for name, value in own.items() if name in _FIELDS[kind]}
