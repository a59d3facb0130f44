"""The table of words, compiled: operations, finish reasons, verdicts, layers and categories of instrumentations."""

from importlib.resources import files
from typing import Any, Final, NamedTuple

import yaml

from streams.dialects.otlp.tables.readers import plain

_TABLE: Final[dict[str, Any]] = yaml.safe_load(files(__package__).joinpath("words.yaml").read_text("utf-8"))


class Role(NamedTuple):
    """What a span is: `call`, `tool`, `agent`, ... or nothing, and the contract's name for its operation."""

    name: str
    operation: str


NO_ROLE: Final = Role("", "")


def _roles(key: str) -> dict[str, Role]:
    return {
        plain(native): Role(role, operation)
        for role, operations in _TABLE[key].items()
        for operation, natives in operations.items()
        for native in natives
    }


def _inverted(key: str) -> dict[str, str]:
    """Return our word by native word; YAML reads some of these as truths."""
    return {plain(str(native).lower()): ours for ours, natives in _TABLE[key].items() for native in natives}


OPERATIONS: Final = _roles("operations")
SPAN_KINDS: Final = _roles("span_kinds")
FINISH_REASONS: Final = _inverted("finish_reasons")
OUTCOMES: Final = _inverted("outcomes")
VERDICTS: Final = _inverted("verdicts")
GUARD_STATUSES: Final = _inverted("guard_statuses")
LAYERS: Final = _inverted("layers")
ON_FAIL: Final = _inverted("on_fail")
CATEGORIES: Final = _inverted("categories")
ACTIONS: Final[dict[str, str]] = _TABLE["actions"]
CACHE_APART: Final[tuple[str, ...]] = tuple(_TABLE["cache_apart"])
_ERRORS: Final[dict[str, list[str]]] = _TABLE["errors"]


def outcome_of_error(*texts: str) -> str | None:
    """Return what the type, code and message of an error say of the outcome, None where it is an error like others.

    >>> outcome_of_error("BadRequestError", "... content management policy ..."), outcome_of_error("RateLimitError")
    ('filtered', None)
    """
    lowered = " ".join(texts).lower()
    return next((outcome for outcome, parts in _ERRORS.items() if any(part in lowered for part in parts)), None)
