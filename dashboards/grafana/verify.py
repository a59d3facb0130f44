"""Every query of boards and rules asked through a Grafana, as it would ask; and how its rules fare."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from dashboards.grafana.deploy import Files
from dashboards.grafana.server import Server
from dashboards.grafana.shapes import Object
from dashboards.panels import TYPE, UID
from dashboards.variables import NAMES, settle
from schemas.durations import seconds

_SOURCE: Final = {"type": TYPE, "uid": UID}
_EXPRESSIONS: Final = {"type": "__expr__", "uid": "__expr__"}
_SAMPLING: Final = {"intervalMs": 60_000, "maxDataPoints": 1_000}
_VARIABLES_SECONDS: Final = 30 * 86_400
"""How far back values of variables are looked for."""

Chosen = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Question:
    """Queries that are asked together: those of a panel, or the steps of a rule."""

    where: str
    queries: list[Object]
    seconds: int


@dataclass(frozen=True, slots=True)
class RuleState:
    """How a rule fares, in Grafana's words."""

    name: str
    state: str
    health: str
    error: str


@dataclass(slots=True)
class Report:
    """What was asked, how rules fare, and what is wrong, each with where."""

    asked: int = 0
    chosen: Chosen = field(default_factory=dict)
    rules: list[RuleState] = field(default_factory=list)
    wrong: list[tuple[str, str]] = field(default_factory=list)


def verify(server: Server, files: Files, now: datetime) -> Report:
    """Ask everything, with the first value of each variable, and look at the data source and the rules.

    Parameters
    ----------
    server
        A Grafana with what `deploy` puts there.
    files
        What is generated.
    now
        The end of the time that is asked about.

    Raises
    ------
    GrafanaError, GrafanaUnavailableError
        Where Grafana itself cannot be asked.
    """
    server.check()
    report = Report()
    if said := server.health():
        report.wrong.append(("data source", said))
        return report
    report.chosen = _choose(server, files, now, report)
    for question in questions(files, report.chosen):
        _ask(server, question, now, report)
    report.rules = list(_states(server, files))
    bad = [rule for rule in report.rules if rule.health in ("error", "missing")]
    report.wrong += [(f"rule {rule.name}", rule.error or rule.health) for rule in bad]
    return report


def questions(files: Files, chosen: Chosen) -> Iterator[Question]:
    """Yield what panels, annotations and rules ask; what several boards share, once."""
    asked = set()
    for board in files.boards:
        since = _seconds(board["time"]["from"])
        for where, target in _targets(board):
            sql = settle(target["rawSql"], chosen, {})
            if (sql, target["format"]) not in asked:
                asked.add((sql, target["format"]))
                query = target | _SAMPLING | {"datasource": _SOURCE, "rawSql": sql}
                yield Question(f"{board['title']}: {where}", [query], since)
    for rule in (rule for group in files.groups for rule in group["rules"]):
        steps = [step["model"] | {"datasource": _source(step["datasourceUid"])} for step in rule["data"]]
        yield Question(f"rule {rule['title']}", steps, rule["data"][0]["relativeTimeRange"]["from"])


def _targets(board: Object) -> Iterator[tuple[str, Object]]:
    for panel in board["panels"]:
        yield from ((panel["title"], target) for target in panel.get("targets", []))
    yield from ((f"annotation {note['name']}", note["target"]) for note in board["annotations"]["list"])


def _source(uid: str) -> Object:
    return _EXPRESSIONS if uid == "__expr__" else _SOURCE


def _seconds(text: str) -> int:
    """Return how far back a board looks.

    >>> _seconds("now-24h")
    86400
    """
    if not text.startswith("now-"):
        raise ValueError(f"a board begins at {text!r}; only now- and a duration is read")
    return round(seconds(text.removeprefix("now-")))


def _choose(server: Server, files: Files, now: datetime, report: Report) -> Chosen:
    """Return the first value of each variable; one that has none stands on All."""
    variables = {item["name"]: item for item in files.boards[0]["templating"]["list"] if item["type"] == "query"}
    chosen: Chosen = {}
    for name in NAMES:
        sql = settle(variables[name]["query"], chosen, {})
        query = {"refId": "A", "datasource": _SOURCE, "editorType": "sql", "format": 1, "rawSql": sql} | _SAMPLING
        results = _ask(server, Question(f"variable {name}", [query], _VARIABLES_SECONDS), now, report)
        if values := _first_column(results):
            chosen[name] = [str(values[0])]
    return chosen


def _first_column(results: dict[str, Object]) -> Sequence[object]:
    columns = [column for frame in results["A"].get("frames", []) for column in frame["data"]["values"]]
    return columns[0] if columns else []


def _ask(server: Server, question: Question, now: datetime, report: Report) -> dict[str, Object]:
    until = int(now.timestamp() * 1_000)
    results = server.query(question.queries, until - question.seconds * 1_000, until)
    report.asked += 1
    errors = [results[name]["error"] for name in sorted(results) if results[name].get("error")]
    report.wrong += [(question.where, error) for error in errors[:1]]  # the others follow from the first
    return results


def _states(server: Server, files: Files) -> Iterator[RuleState]:
    said = {rule["name"]: rule for rule in server.rules()}
    for rule in (rule for group in files.groups for rule in group["rules"]):
        found = said.get(rule["title"])
        if found is None:
            yield RuleState(rule["title"], "", "missing", "Grafana does not have it; run `watchkeeper grafana deploy`")
        else:
            yield RuleState(rule["title"], found.get("state", ""), found["health"], found.get("lastError", ""))
