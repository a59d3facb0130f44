"""The alias table, compiled: from an attribute to the field that it fills."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any, Final, NamedTuple

import yaml

from streams.dialects.otlp.records import Attributes
from streams.dialects.otlp.tables.readers import READERS, structure

TABLE: Final[dict[str, Any]] = yaml.safe_load(files(__package__).joinpath("aliases.yaml").read_text("utf-8"))
VERSION: Final[str] = TABLE["version"]
"""Goes into each verdict as `mapping_version`, so that a later table can be told from this one."""

TEXTS: Final[dict[str, list[str]]] = TABLE["texts"]
FLATTENED: Final[dict[str, list[str]]] = TABLE["flattened"]
RESOURCE: Final[dict[str, list[str]]] = TABLE["resource"]


class _Alias(NamedTuple):
    """One attribute that may fill a field; the lower the rank, the sooner it is taken."""

    field: str
    rank: int
    reader: str
    path: str | None


def _compile() -> tuple[dict[str, list[_Alias]], dict[str, list[_Alias]]]:
    direct: dict[str, list[_Alias]] = {}
    inside: dict[str, list[_Alias]] = {}
    for field, entry in TABLE["fields"].items():
        for rank, source in enumerate(entry["from"]):
            given = source if isinstance(source, dict) else {"key": source}
            alias = _Alias(field, rank, given.get("as", entry["as"]), given.get("path"))
            (inside if alias.path else direct).setdefault(given["key"], []).append(alias)
    return direct, inside


_DIRECT, _INSIDE = _compile()
KNOWN: Final = frozenset(_DIRECT) | frozenset(_INSIDE) | {key for keys in TEXTS.values() for key in keys}
"""Attributes that the table speaks of."""


def fields_of(attributes: Attributes) -> dict[str, Any]:
    """Return the fields that attributes fill.

    Parameters
    ----------
    attributes
        Of a span, a span event or a log record. What is missing, of a wrong kind or blank fills nothing.

    >>> fields_of({"gen_ai.usage.prompt_tokens": "12", "gen_ai.usage.input_tokens": 13, "llm.token_count.prompt": None})
    {'usage_input_tokens': 13}
    """
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for key in attributes:
        for alias in _DIRECT.get(key, ()):
            if alias.rank < ranks.get(alias.field, 99):
                value = READERS[alias.reader](attributes[key])
                if value is not None:
                    found[alias.field], ranks[alias.field] = value, alias.rank
    _look_inside(attributes, found)
    return found


def _look_inside(attributes: Attributes, found: dict[str, Any]) -> None:
    """Fill what no attribute of its own filled from those that hold objects."""
    ranks: dict[str, int] = {}
    for key in attributes:
        wanted = [alias for alias in _INSIDE.get(key, ()) if alias.field not in found or alias.field in ranks]
        if not wanted or not isinstance(content := structure(attributes[key]), dict):
            continue
        for alias in wanted:
            value = READERS[alias.reader](_at(content, alias.path or ""))
            if value is not None and alias.rank < ranks.get(alias.field, 99):
                found[alias.field], ranks[alias.field] = value, alias.rank


def _at(content: Any, path: str) -> Any:
    """Return what lies at a path of names with dots between."""
    for name in path.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content


def first(attributes: Attributes, keys: Iterable[str]) -> Any:
    """Return the value of the first of these attributes that has one."""
    return next((attributes[key] for key in keys if attributes.get(key) not in (None, "")), None)
