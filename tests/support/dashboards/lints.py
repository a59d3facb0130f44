"""Lints of boards and alert rules, as functions: each takes what is committed and yields what is wrong with it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations

from dashboards.panels import TYPE
from schemas.durations import seconds

UID = re.compile(r"watchkeeper-[a-z0-9-]{1,28}")
UNITS = {"percentunit", "s", "ms", "short", "ops", "bytes", "string", "dateTimeAsIso"}
"""Of Grafana's units those that we use: a name that it does not know is shown behind each number as it stands."""
CHOSEN = {"type": TYPE, "uid": "${datasource}"}
OWN = {"__url_time_range", "__value.raw"}
FRONT_END_ONLY = ("$__conditionalAll", "$__adHocFilters", "${", "$__timeInterval", "$__interval")
TICK_SECONDS = 10

Board = dict
Lint = Callable[[Board], Iterable[str]]


def repeated(values: Iterable[object]) -> list[object]:
    """Return what is there more than once."""
    return [value for value, times in Counter(values).items() if times > 1]


def shown(board: Board) -> Iterator[dict]:
    """Yield the panels that ask something."""
    return (panel for panel in board["panels"] if panel["type"] != "text")


def texts(board: Board) -> Iterator[str]:
    """Yield every query of a board."""
    yield from (target["rawSql"] for panel in shown(board) for target in panel["targets"])
    yield from (variable["query"] for variable in board["templating"]["list"] if variable["type"] == "query")
    yield from (note["target"]["rawSql"] for note in board["annotations"]["list"])


def described(board: Board) -> Iterator[str]:
    """Board and panels have a title and a description in whole sentences."""
    if not (board["title"] and board["description"]):
        yield "the board has no title or no description"
    for panel in board["panels"]:
        said = panel.get("description", "")
        if not panel["title"] or len(said) <= 30 or not said.endswith("."):
            yield f"{panel['title']}: no title or no description"


def fixed(board: Board) -> Iterator[str]:
    """It is Classic JSON that nobody edits in the browser, with a name of its own and no number of a database."""
    if board["editable"] or board["schemaVersion"] != 42 or board["timezone"] != "utc":
        yield "the board can be edited, or is of another schema or time zone"
    if not UID.fullmatch(board["uid"]) or "id" in board:
        yield f"{board['uid']} is no name for a board"


def told_apart(board: Board) -> Iterator[str]:
    """Numbers and titles of panels, and letters of queries, are there once."""
    yield from (f"panel {number} twice" for number in repeated(panel["id"] for panel in board["panels"]))
    yield from (f"title {title} twice" for title in repeated(panel["title"] for panel in board["panels"]))
    for panel in shown(board):
        for letter in repeated(target["refId"] for target in panel["targets"]):
            yield f"{panel['title']}: query {letter} twice"


def measured(board: Board) -> Iterator[str]:
    """Every number has a unit that Grafana knows, and a word for where it is not known."""
    for panel in shown(board):
        defaults = panel["fieldConfig"]["defaults"]
        columns = [
            one["value"]
            for column in panel["fieldConfig"]["overrides"]
            for one in column["properties"]
            if one["id"] == "unit"
        ]
        if not {defaults.get("unit"), *columns} <= UNITS or not defaults.get("noValue"):
            yield f"{panel['title']}: no unit that Grafana knows, or no word for no value"


def visible(board: Board) -> Iterator[str]:
    """A limit is drawn inside the axis: what is beyond it can be seen, on either side."""
    for panel in shown(board):
        defaults = panel["fieldConfig"]["defaults"]
        limits = [step["value"] for step in defaults.get("thresholds", {}).get("steps", [])[1:]]
        if "min" in defaults and any(limit <= defaults["min"] for limit in limits):
            yield f"{panel['title']}: its limit is the end of the axis"


def templated(board: Board) -> Iterator[str]:
    """Whatever asks takes the data source that is chosen above the board."""
    if board["templating"]["list"][0]["type"] != "datasource":
        yield "the data source is not chosen first"
    asked = [(panel["title"], panel) for panel in shown(board)]
    asked += [(panel["title"], target) for panel in shown(board) for target in panel["targets"]]
    asked += [(v["name"], v) for v in board["templating"]["list"] if v["type"] == "query"]
    asked += [(note["name"], part) for note in board["annotations"]["list"] for part in (note, note["target"])]
    yield from (f"{name}: a data source of its own" for name, part in asked if part.get("datasource") != CHOSEN)


def refreshed(board: Board) -> Iterator[str]:
    """Variables are asked anew when the time changes, and offer All and several."""
    for variable in board["templating"]["list"]:
        if variable["type"] == "query" and not (
            variable["refresh"] == 2 and variable["includeAll"] and variable["multi"]
        ):
            yield f"{variable['name']} is not asked when the time changes, or offers no All"


def declared(board: Board) -> Iterator[str]:
    """Every variable that is used stands above the board, and nothing but Grafana's own besides."""
    names = {variable["name"] for variable in board["templating"]["list"]} | OWN
    for name in re.findall(r"\$\{([\w.]+)[:}]", json.dumps(board)):
        if name not in names:
            yield f"{name} is no variable"
    for name in re.findall(r", \$(?!__)(\w+)\)", " ".join(texts(board))):
        if name not in names:
            yield f"{name} is no variable"


def placed(board: Board) -> Iterator[str]:
    """Every panel is inside the 24 columns and lies on no other."""
    for panel in board["panels"]:
        place = panel["gridPos"]
        if place["x"] < 0 or place["x"] + place["w"] > 24 or place["w"] < 1 or place["h"] < 1:
            yield f"{panel['title']} is not on the board"
    for one, other in combinations(board["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        if not (beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]):
            yield f"{one['title']} lies on {other['title']}"


def ordered(board: Board) -> Iterator[str]:
    """A time series is asked as one, at steps of ten seconds, and sorted by time; a table is not."""
    for panel in shown(board):
        series = panel["type"] == "timeseries"
        if seconds(panel["interval"]) % TICK_SECONDS:
            yield f"{panel['title']}: its interval is not of whole ticks"
        for target in panel["targets"]:
            if (target["format"], target["queryType"]) != ((0, "timeseries") if series else (1, "table")):
                yield f"{panel['title']}: asked in the wrong format"
            if series and not re.search(r"ORDER BY time\b", target["rawSql"]):
                yield f"{panel['title']} is not sorted by time"


def honest(board: Board) -> Iterator[str]:
    """What is made of a KPI says where it is untrusted."""
    for panel in shown(board):
        sql = panel["targets"][0]["rawSql"]
        if panel["type"] == "timeseries" and bool(re.search("kpi_|trust_hours", sql)) != ("AS untrusted" in sql):
            yield f"{panel['title']} does not say where it is untrusted"
        made_of_kpis = panel["type"] == "table" and re.search(r"\bkpis?(_\w+)?`?\(", sql)
        if made_of_kpis and "trust" not in sql and not panel["title"].startswith("Rule: "):
            yield f"{panel['title']} does not say what is untrusted"


def plain(board: Board) -> Iterator[str]:
    """No title and no tag holds a dollar sign, which Grafana would fill in."""
    yield from (said for said in (board["title"], *board["tags"]) if "$" in said)
    yield from (panel["title"] for panel in board["panels"] if "$" in panel["title"])


BOARD_LINTS: dict[str, Lint] = {
    lint.__name__: lint
    for lint in (
        described, fixed, told_apart, measured, visible, templated, refreshed, declared, placed, ordered, honest, plain,
    )
}  # fmt: skip


def of_rule(rule: dict, boards: dict[str, Board]) -> Iterator[str]:
    """Yield what is wrong with one rule: its name, its query, its labels, and where it leads."""
    asked = rule["data"][0]["model"]
    if not UID.fullmatch(rule["uid"]) or len(rule["title"]) > 190:
        yield "its name does not fit"
    yield from (f"{macro} is known to the browser only" for macro in FRONT_END_ONLY if macro in asked["rawSql"])
    if (asked["format"], asked["editorType"], asked["queryType"]) != (1, "sql", "table"):
        yield "it is not asked as a table"
    if asked["intervalMs"] % (1_000 * TICK_SECONDS):
        yield "its interval is not of whole ticks"
    if any("$" in text for text in (rule["title"], *rule["labels"].values())):
        yield "a label or the title holds a dollar sign"
    if any(text.count("{{") != text.count("}}") for text in rule["annotations"].values()):
        yield "a template is not closed"
    letters = [step["refId"] for step in rule["data"]]
    if repeated(letters) or rule["condition"] not in letters:
        yield "its steps are not told apart, or its condition is none of them"
    yield from _leads(rule, boards)


def _leads(rule: dict, boards: dict[str, Board]) -> Iterator[str]:
    panels = {panel["id"] for panel in boards.get(rule["dashboardUid"], {"panels": []})["panels"]}
    named = (rule["annotations"]["__dashboardUid__"], rule["annotations"]["__panelId__"])
    if rule["panelId"] not in panels or named != (rule["dashboardUid"], str(rule["panelId"])):
        yield "its panel is not there"
    found = re.search(r"d/([\w-]+)\?viewPanel=(\d+)", rule["annotations"]["runbook_url"])
    board, number = found.groups() if found else ("", "0")
    if int(number) not in {panel["id"] for panel in boards.get(board, {"panels": []})["panels"]}:
        yield "its runbook is not there"
