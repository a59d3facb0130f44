"""The tables of the store as erasing sees them: what of a row may name somebody, and what leads to somebody."""

from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.erasures import Subject
from schemas.sql import query
from streams.erasure.subjects import COLUMNS, Named
from streams.erasure.texts import DOCUMENTS
from streams.retention.classes import FOR_EVER, TABLES, WHOSE
from streams.store.client import rows

HERE: Final = "streams.erasure"
LEADS_TO: Final = (
    "session_id", "conversation_id", "trace_id", "span_id", "parent_span_id", "response_id", "tool_call_id",
    "input_text", "output_text", "input_vector", "input_hash", "output_hash", "system_hash", "content_ref", "args_hash",
    "result_hash", "query_hash", "content_hash", "memory_ids", "labels",
)  # fmt: skip
"""Columns of an event that belong to one person, session or text; empty afterwards."""
TEXTS: Final = ("input_text", "output_text", "input_vector")
"""Those of a tenant's events: the rest is what its sums are made of."""

NAMES: Final[dict[Subject, tuple[str, ...]]] = {
    "user": ("user_pseudo_id", "annotator_pseudo_id", "labels"),
    "session": ("session_id", "conversation_id", "labels"),
    "tenant": ("tenant_id", "tenants"),
}
"""Columns that hold just the value; others hold words of their own, which may be the same by chance."""

EVENTS: Final = ("guard_verdicts", "agent_steps", "retrievals", "inferences")
_TIMES: Final = {kept.table: kept.time for kept in TABLES if not kept.left and not kept.time.startswith("greatest")}


class Table(NamedTuple):
    """A table, the type of each of its columns, and which of them its rows are ordered by."""

    name: str
    types: dict[str, str]
    keys: frozenset[str]

    @property
    def time(self) -> str:
        """The column that says when."""
        return "time" if "time" in self.types else _TIMES[self.name]

    def changes(self, named: Named) -> tuple[str, str] | None:
        """Return what is set and where, with parameters `value`, `instead` and `pattern`; None where nothing can be."""
        subject = COLUMNS[named.subject]
        emptied = (TEXTS if named.subject == "tenant" else LEADS_TO) if subject in self.types else ()
        found, sets = [], []
        for name, kind in self.types.items():
            condition, becomes = (None if name in self.keys else self._change(named.subject, name, kind)) or ("", name)
            if condition:
                found.append(condition)
            if name in emptied and name != subject:
                becomes = f"if({subject} = {{value:String}}, {_empty(kind)}, {becomes})"
            if becomes != name:
                sets.append(f"{name} = {becomes}")
        return (", ".join(sets), " OR ".join(found)) if found else None

    def _change(self, subject: Subject, name: str, kind: str) -> tuple[str, str] | None:
        """Return where a column names somebody, and what it is then."""
        if (self.name, name) == ("dead_letters", "value"):  # who knows what else it says
            return "match(value, {pattern:String})", f"if(match(value, {{pattern:String}}), {WHOSE}, value)"
        if name in DOCUMENTS.get(self.name, ()):
            once = f"replaceRegexpAll({name}, {{pattern:String}}, {{instead_between:String}})"
            twice = f"replaceRegexpAll({once}, {{pattern:String}}, {{instead_between:String}})"
            return f"match({name}, {{pattern:String}})", twice
        return _value(name, kind) if name in NAMES[subject] else None


def _value(name: str, kind: str) -> tuple[str, str]:
    """Return where a column holds a value, or has it in it, and what it is then."""
    if kind.startswith("Array"):
        changed = f"arrayMap(x -> if(x = {{value:String}}, {{instead:String}}, x), {name})"
        return f"has({name}, {{value:String}})", f"CAST({changed}, '{kind}')"
    if kind.startswith("Map"):
        changed = f"mapApply((k, x) -> (k, if(x = {{value:String}}, {{instead:String}}, x)), {name})"
        return f"has(mapValues({name}), {{value:String}})", changed
    return f"{name} = {{value:String}}", f"if({name} = {{value:String}}, {{instead:String}}, {name})"


def _empty(kind: str) -> str:
    empty = {"Array": "[]", "Map(S": "map()"}.get(kind[:5], "''")
    return f"CAST({empty}, '{kind}')"


def tables(client: Client) -> list[Table]:
    """Return the tables that may name somebody; events last, as they say what else belongs to somebody."""
    found: dict[str, tuple[dict[str, str], set[str]]] = {}
    for table, name, kind, key in rows(client, query(HERE, "columns")):
        types, keys = found.setdefault(str(table), ({}, set()))
        types[str(name)] = str(kind)
        if key:
            keys.add(str(name))
    made = [Table(name, types, frozenset(keys)) for name, (types, keys) in found.items() if name not in FOR_EVER]
    return sorted(made, key=lambda table: (table.name in EVENTS, table.name))
