"""What Grafana does with a query before it is sent; its macros are written again here from their documentation."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import yaml

from dashboards.boards import BOARDS
from dashboards.generate import FOLDER
from dashboards.layout import board_json
from dashboards.variables import settle


def expand(
    sql: str, since: datetime, until: datetime, chosen: dict[str, list[str]], options: dict[str, list[str]]
) -> str:
    """Return a query as it reaches the store.

    A variable that is not in `chosen` stands on All, which means all its `options`.
    """
    return macros(settle(sql, chosen, options), since, until)


def macros(sql: str, since: datetime, until: datetime) -> str:
    """Return a query with what the back end does to it; whatever else is left in it is a mistake.

    Raises
    ------
    ValueError
        Where something is left that the back end does not know.
    """
    sql = re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)", sql)
    sql = sql.replace("$__interval_s", "60")
    sql = sql.replace("$__fromTime", f"toDateTime({int(since.timestamp())})")
    sql = sql.replace("$__toTime", f"toDateTime({int(until.timestamp())})")
    if "$_" in sql or "${" in sql:
        raise ValueError(f"a macro or a variable is left in {sql}")
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
