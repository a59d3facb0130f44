"""What Grafana's front end does with a query before it is sent: template variables, settled for given choices.

Whoever asks Grafana's back end without a browser must do the same: the back end knows time macros and no variables.
"""

from collections.abc import Mapping, Sequence
from typing import Final

NAMES: Final = ("environment", "service", "version", "tenant")
"""The variables that queries name, those that others are chosen by first."""

_CONDITIONAL: Final = "$__conditionalAll("


def settle(sql: str, chosen: Mapping[str, Sequence[str]], options: Mapping[str, Sequence[str]]) -> str:
    r"""Return a query with its variables filled in.

    Parameters
    ----------
    sql
        A query with ``${name:singlequote}`` and ``$__conditionalAll(condition, $name)``.
    chosen
        Values by variable. One that is not there stands on All: its conditions are left out, and it means all its
        options.
    options
        All values by variable.

    >>> settle("SELECT 1 WHERE $__conditionalAll(s IN (${service:singlequote}), $service)", {"service": ["kim's"]}, {})
    "SELECT 1 WHERE s IN ('kim\\'s')"
    """
    sql = _conditions(sql, chosen)
    for name in NAMES:
        sql = sql.replace(f"${{{name}:singlequote}}", _singlequote(chosen.get(name, options.get(name, []))))
    return sql


def _singlequote(values: Sequence[str]) -> str:
    """Quote as Grafana's format `singlequote` does, which leaves a backslash as it is."""
    return ",".join("'" + value.replace("'", "\\'") + "'" for value in values)


def _conditions(sql: str, chosen: Mapping[str, Sequence[str]]) -> str:
    while (begin := sql.find(_CONDITIONAL)) >= 0:
        end = _closing(sql, begin + len(_CONDITIONAL) - 1)
        inside, name = sql[begin + len(_CONDITIONAL) : end].rsplit(", $", 1)
        sql = sql[:begin] + (inside if name in chosen else "1=1") + sql[end + 1 :]
    return sql


def _closing(text: str, opening: int) -> int:
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"a bracket is not closed in {text}")
