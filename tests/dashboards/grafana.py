"""What Grafana does with a query before it is sent, written again from its documentation: variables, then macros."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import yaml

from dashboards.boards import BOARDS
from dashboards.generate import FOLDER
from dashboards.layout import board_json

CONDITIONAL = "$__conditionalAll("
ALL = ("environment", "service", "version", "tenant")


def singlequote(values: list[str]) -> str:
    """Return values as ``${name:singlequote}`` writes them."""
    return ",".join("'" + value.replace("'", "\\'") + "'" for value in values)


def conditions(sql: str, chosen: dict[str, list[str]]) -> str:
    """Return a query with each ``$__conditionalAll`` settled: its condition, or none where a variable is on All."""
    while (begin := sql.find(CONDITIONAL)) >= 0:
        end = closing(sql, begin + len(CONDITIONAL) - 1)
        inside, name = sql[begin + len(CONDITIONAL) : end].rsplit(", $", 1)
        sql = sql[:begin] + (inside if name in chosen else "1=1") + sql[end + 1 :]
    return sql


def closing(text: str, opening: int) -> int:
    """Return where the bracket that opens at a place is closed."""
    depth = 0
    for place in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError(f"a bracket is not closed in {text}")


def expand(
    sql: str, since: datetime, until: datetime, chosen: dict[str, list[str]], options: dict[str, list[str]]
) -> str:
    """Return a query as it reaches the store.

    A variable that is not in `chosen` stands on All, which means all its `options`.
    """
    sql = conditions(sql, chosen)
    for name in ALL:
        sql = sql.replace(f"${{{name}:singlequote}}", singlequote(chosen.get(name, options.get(name, []))))
    sql = re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)", sql)
    sql = sql.replace("$__interval_s", "60")
    sql = sql.replace("$__fromTime", f"toDateTime({int(since.timestamp())})")
    sql = sql.replace("$__toTime", f"toDateTime({int(until.timestamp())})")
    assert "$_" not in sql
    assert "${" not in sql
    return sql


def targets() -> Iterator[tuple[str, str, str, bool]]:
    """Yield board, name, query, and whether it is a time series, of what boards ask: once for a query and view."""
    seen = {("", "")}
    for board in BOARDS:
        made = board_json(board)
        for spec, panel in zip(board.panels, made["panels"], strict=True):
            asked = (spec.query, spec.values.get("view", ""))
            if asked not in seen:
                [target] = panel["targets"]
                yield board.name, panel["title"], target["rawSql"], target["format"] == 0
            seen.add(asked)
    for variable in made["templating"]["list"]:
        if variable["type"] == "query":
            yield "all", f"variable {variable['name']}", variable["query"], False
    for note in made["annotations"]["list"]:
        yield "all", f"annotation {note['name']}", note["target"]["rawSql"], False


def alert_rules() -> list[dict]:
    """Return the rules of the committed file."""
    groups = yaml.safe_load((Path(FOLDER) / "alerting/rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]
