"""Attributes of our own, `watchkeeper.*`: what no convention has, read as the contract types it."""

from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec

from schemas.events import AgentStep, Inference, Retrieval
from schemas.fields import Level
from schemas.guards import GuardResult
from streams.dialects.otlp.tables.readers import structure

EVENT: Final = "watchkeeper."
GUARD: Final = "watchkeeper.guard."
_KINDS: Final[dict[type, frozenset[str]]] = {
    kind: frozenset(kind.__struct_fields__) for kind in (Inference, AgentStep, Retrieval)
}


def _hints(*kinds: type) -> dict[str, Any]:
    return {name: hint for kind in kinds for name, hint in get_type_hints(kind, include_extras=True).items()}


def _is_text(hint: Any) -> bool:
    """Tell whether a field is a text, which is never read as JSON."""
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        return all(_is_text(part) for part in get_args(hint) if part is not NoneType)
    return hint is str


_TYPES: Final = {"own": _hints(*_KINDS), "own_guard": _hints(GuardResult) | {"severity": Level}}
_TEXTS: Final = {
    group: frozenset(name for name, hint in types.items() if _is_text(hint)) for group, types in _TYPES.items()
}
_WHOLE: Final = {
    group: msgspec.defstruct(group, [(name, hint | None, None) for name, hint in types.items()], omit_defaults=True)
    for group, types in _TYPES.items()
}


def own_of(group: str, values: dict[str, Any]) -> dict[str, Any]:
    """Return what our attributes say; what is blank or does not fit the contract is left out.

    Parameters
    ----------
    group
        `own` for those of an event, `own_guard` for those of a guard.
    values
        By field, as the emitter set them; lists and objects may be JSON.

    >>> own_of("own", {"reached_user": "false", "turn_index": -1, "outcome": ""})
    {'reached_user': False}
    >>> own_of("own_guard", {"findings": '[{"category": "sec.jailbreak", "severity": 3}]'})
    {'findings': [{'category': 'sec.jailbreak', 'severity': 3}]}
    """
    texts = _TEXTS[group]
    given = {
        name: value if name in texts or type(value) is not str or value[:1] not in ("[", "{") else structure(value)
        for name, value in values.items()
        if value is not None and value != ""
    }
    try:
        return _converted(group, given)
    except msgspec.ValidationError:
        return {name: value for pair in given.items() for name, value in _alone(group, *pair).items()}


def _converted(group: str, given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(msgspec.convert(given, _WHOLE[group], strict=False))
    return found


def _alone(group: str, name: str, value: Any) -> dict[str, Any]:
    try:
        return _converted(group, {name: value})
    except msgspec.ValidationError:
        return {}


def own_fields(fields: dict[str, Any], kind: type) -> dict[str, Any]:
    """Return what our attributes say of an event of this kind; what is of another kind is passed over.

    Parameters
    ----------
    fields
        As `said_of` reads them.
    """
    own = fields.get("own")
    return {name: value for name, value in own.items() if name in _KINDS[kind]} if own else {}
