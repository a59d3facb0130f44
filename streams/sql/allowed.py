"""What a reader may name: functions, table functions, tables, output formats. All are lists of what is allowed."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final, Self

FUNCTIONS: Final = frozenset(
    name.lower()
    for line in resources.files("streams.sql").joinpath("functions.txt").read_text().splitlines()
    if not line.startswith("#")
    for name in line.split()
)
"""Names of functions and aggregate functions, in lower case."""

SYNTAX: Final = frozenset({"lambda", "exists", "grouping", "untuple"})
"""What the engine's parser writes as a function although none has that name."""

TABLE_FUNCTIONS: Final = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "primes", "values", "view"}
)
"""Table functions that stay inside the query; `mergeTreeIndex` and its like show internals, all others lead out."""

SYSTEM: Final = frozenset(
    {"collations", "columns", "data_type_families", "databases", "disks", "formats", "functions", "keywords"}
    | {"numbers", "numbers_mt", "one", "parts", "primes", "settings", "table_engines", "table_functions", "tables"}
    | {"time_zones", "zeros", "zeros_mt"}
)
"""Tables of `system`: what clients ask to list and complete names, and the store's size for the board of the monitor.

Of the others many show paths, the machine, its users, other readers' questions, or stack traces.
"""

WITH_PATHS: Final = frozenset({"databases", "disks", "parts", "tables"})
"""Those of `SYSTEM` that also have columns with paths of the machine."""

WITH_SIZES: Final = frozenset({"columns", "disks", "parts", "statistics", "tables"})
"""Tables of `system` and `information_schema` that count everybody's rows."""

PATHS: Final = frozenset({"cache_path", "data_path", "data_paths", "metadata_path", "path"})
"""Columns with paths, which may not be named beside such a table; nor may its columns be asked for by a star."""

SCHEMA: Final = frozenset(
    {"columns", "key_column_usage", "referential_constraints", "schemata", "statistics", "tables", "views"}
)
"""Views of `information_schema`."""


@dataclass(frozen=True, slots=True)
class Names:
    """All names that the running engine knows, in lower case; what is among them and not allowed is refused."""

    functions: frozenset[str]
    aggregates: frozenset[str]
    combinators: tuple[str, ...]
    table_functions: frozenset[str]
    formats: frozenset[str]

    @classmethod
    def of(cls, engine: Any) -> Self:
        """Ask an engine for them."""

        def listed(query: str) -> list[str]:
            return str(engine.query(query, "TSVRaw").bytes().decode()).split()

        return cls(
            frozenset(listed("SELECT lower(name) FROM system.functions")),
            frozenset(listed("SELECT lower(name) FROM system.functions WHERE is_aggregate")),
            tuple(listed("SELECT lower(name) FROM system.aggregate_function_combinators")),
            frozenset(listed("SELECT lower(name) FROM system.table_functions")),
            frozenset(listed("SELECT name FROM system.formats WHERE is_output")),
        )

    def bases(self, name: str) -> Iterable[str]:
        """Yield the aggregate functions that a name may stand for, its combinators taken off."""
        todo = [name]
        while todo:
            each = todo.pop()
            if each in self.aggregates:
                yield each
            todo += [each[: -len(end)] for end in self.combinators if each.endswith(end) and len(each) > len(end)]

    def is_aggregate(self, name: str) -> bool:
        """Tell whether a name is that of an aggregate function that may be called."""
        found = set(self.bases(name.lower()))
        return bool(found) and found <= FUNCTIONS

    def knows(self, name: str) -> bool:
        """Tell whether a name stands for a function or a table function of the engine."""
        lower = name.lower()
        return lower in self.functions or lower in self.table_functions or any(self.bases(lower))

    def allows(self, name: str) -> bool:
        """Tell whether a function may be called."""
        lower = name.lower()
        if lower in self.functions or lower in SYNTAX:
            return lower in FUNCTIONS or lower in SYNTAX
        return self.is_aggregate(lower)


def table_allowed(database: str, table: str, own: str, *, limited: bool = False) -> bool:
    """Tell whether a table may be read; `own` is the database of the house.

    Whoever is `limited` to the rows of some services may not read how many others there are.

    >>> [table_allowed(*each, own="w") for each in (("w", "x"), ("system", "users"), ("default", "/etc/hostname"))]
    [True, False, False]
    """
    if database == own:
        return True
    if limited and table.lower() in WITH_SIZES:
        return False
    if database.lower() == "information_schema":
        return table.lower() in SCHEMA
    return database == "system" and table in SYSTEM
