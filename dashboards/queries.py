"""Named SQL, one file each, shared by panels, alert rules, documentation and tests.

The files hold macros and variables of Grafana (``$__fromTime``, ``${service:singlequote}``) and parameters of
ClickHouse (``{kpi:String}``). Grafana knows no parameters, so values of the registry are written in as literals when a
panel or a rule is made; nothing that a user types ever goes that way.
"""

import re
from collections.abc import Sequence
from importlib import resources
from typing import Final

from schemas.sql import literal
from schemas.sql import query as read

Value = str | float | Sequence[str] | Sequence[float]

_PARAMETER: Final = re.compile(r"(?<!\$)\{(\w+):([A-Za-z0-9_()]+)\}")


def names() -> list[str]:
    """Return the names of all queries."""
    folder = resources.files("dashboards") / "queries"
    return sorted(item.name.removesuffix(".sql") for item in folder.iterdir() if item.name.endswith(".sql"))


def query(name: str, **values: Value) -> str:
    """Return a named query with its parameters filled in.

    Raises
    ------
    ValueError
        Where a parameter has no value, or a value no parameter.
    """
    return fill(read("dashboards", name), values)


def fill(text: str, values: dict[str, Value]) -> str:
    """Return a text with its ClickHouse parameters replaced by literals.

    >>> fill("SELECT {kpi:String}, {n:Int8} WHERE a IN (${service:singlequote})", {"kpi": "leak", "n": 1})
    "SELECT 'leak', 1 WHERE a IN (${service:singlequote})"
    """
    wanted = {match[1] for match in _PARAMETER.finditer(text)}
    if wanted != set(values):
        raise ValueError(f"the query needs {sorted(wanted)}, and was given {sorted(values)}")
    return _PARAMETER.sub(lambda match: _written(values[match[1]], match[2]), text)


def _written(value: Value, kind: str) -> str:
    if kind == "Identifier":
        return f"`{value}`"
    if isinstance(value, str):
        return literal(value)
    if isinstance(value, Sequence):
        inner = kind.removeprefix("Array(").removesuffix(")")
        return "[" + ", ".join(_written(item, inner) for item in value) + "]"
    return f"to{kind}({value})" if kind.startswith("Float") else str(value)
