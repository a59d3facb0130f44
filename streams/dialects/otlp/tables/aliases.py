"""The alias table, compiled: from an attribute to the field that it fills."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import yaml

from streams.dialects.otlp.records import Attributes
from streams.dialects.otlp.tables.own import EVENT, GUARD, own_of
from streams.dialects.otlp.tables.readers import READERS, structure

TABLE: Final[dict[str, Any]] = yaml.safe_load(files(__package__).joinpath("aliases.yaml").read_text("utf-8"))
Reader = Callable[[Any], Any]
VERSION: Final[str] = TABLE["version"]
"""Goes into each verdict as `mapping_version`, so that a later table can be told from this one."""

TEXTS: Final[dict[str, list[str]]] = TABLE["texts"]
FLATTENED: Final[dict[str, list[str]]] = TABLE["flattened"]
RESOURCE: Final[dict[str, list[str]]] = TABLE["resource"]
OWN: Final[dict[str, tuple[str, str]]] = {
    prefix + name: (group, name)
    for group, prefix, names in (("own", EVENT, TABLE["own"]["event"]), ("own_guard", GUARD, TABLE["own"]["guard"]))
    for name in names
}
"""Of our own attributes the group and the field that each fills."""


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
KNOWN: Final = (
    frozenset(_DIRECT) | frozenset(_INSIDE) | frozenset(OWN) | {key for keys in TEXTS.values() for key in keys}
)
"""Attributes that the table speaks of."""


class Plan(NamedTuple):
    """What attributes of these names can say; emitters write the same few sets of names again and again."""

    direct: tuple[tuple[str, tuple[tuple[str, Reader], ...]], ...]
    inside: tuple[tuple[str, tuple[_Alias, ...]], ...]
    own: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    texts: dict[str, tuple[str, ...]]
    flattened: frozenset[str]


@lru_cache(maxsize=1024)
def plan_of(keys: tuple[str, ...]) -> Plan:
    """Return what is to be read of attributes.

    Parameters
    ----------
    keys
        Their names.
    """
    sources: dict[str, list[tuple[int, str, Reader]]] = {}
    for key in keys:
        for alias in _DIRECT.get(key, ()):
            sources.setdefault(alias.field, []).append((alias.rank, key, READERS[alias.reader]))
    return Plan(
        tuple(
            (field, tuple((key, read) for _, key, read in sorted(found, key=_rank))) for field, found in sources.items()
        ),
        tuple((key, tuple(_INSIDE[key])) for key in keys if key in _INSIDE),
        _own_plan(keys),
        {side: present for side, wanted in TEXTS.items() if (present := tuple(key for key in wanted if key in keys))},
        frozenset(side for side, starts in FLATTENED.items() if any(key.startswith(tuple(starts)) for key in keys)),
    )


def _own_plan(keys: tuple[str, ...]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for key in keys:
        if key in OWN:
            group, name = OWN[key]
            groups.setdefault(group, []).append((key, name))
    return tuple((group, tuple(pairs)) for group, pairs in groups.items())


def _rank(source: tuple[int, str, Reader]) -> int:
    return source[0]


class Said(NamedTuple):
    """What attributes say: as they came, what there is to be read of them, and the fields that they fill."""

    attributes: Attributes
    plan: Plan
    fields: dict[str, Any]


def said_of(attributes: Attributes) -> Said:
    """Return what attributes say.

    Parameters
    ----------
    attributes
        Of a span, a span event or a log record. What is missing, of a wrong kind or blank fills nothing. Our own stand
        apart, under `own` and `own_guard`, for they come before all others.

    >>> said_of({"gen_ai.usage.prompt_tokens": "12", "gen_ai.usage.input_tokens": 13, "llm.token_count": 1}).fields
    {'usage_input_tokens': 13}
    """
    plan = plan_of(tuple(attributes))
    found: dict[str, Any] = {}
    for field, sources in plan.direct:
        for key, read in sources:
            value = read(attributes[key])
            if value is not None:
                found[field] = value
                break
    if plan.inside:
        _look_inside(plan, attributes, found)
    for group, pairs in plan.own:
        if own := own_of(group, {name: attributes[key] for key, name in pairs}):
            found[group] = own
    return Said(attributes, plan, found)


def _look_inside(plan: Plan, attributes: Attributes, found: dict[str, Any]) -> None:
    """Fill what no attribute of its own filled from those that hold objects."""
    ranks: dict[str, int] = {}
    for key, aliases in plan.inside:
        wanted = [alias for alias in aliases if alias.field not in found or alias.field in ranks]
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


def text_of(said: Said, side: str) -> Any:
    """Return what the first attribute that holds this side of a call, a tool or a search says."""
    return first(said.attributes, said.plan.texts[side]) if side in said.plan.texts else None


def first(attributes: Attributes, keys: Iterable[str]) -> Any:
    """Return the value of the first of these attributes that has one."""
    for key in keys:
        value = attributes.get(key)
        if value is not None and value != "":
            return value
    return None
