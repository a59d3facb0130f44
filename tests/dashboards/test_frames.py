"""Every query of the boards, rules and runbooks, through the Go client and the data frames of Grafana's plugin."""

from itertools import pairwise

import pytest

from dashboards.boards import BOARDS
from dashboards.layout import board_json
from dashboards.runbook import names, on_board
from dashboards.variables import settle
from streams.settings import load
from streams.sql.server import Endpoint
from tests.dashboards.test_runbooks import LOOKS
from tests.real.plugin import client
from tests.support.dashboards import history
from tests.support.dashboards.grafana import alert_rules
from tests.support.dashboards.states import STATES

pytestmark = pytest.mark.store
plugin = client.plugin

NUMBERS = {"float64", "float32", "uint64", "int64", "uint32", "int32", "uint8", "int8"}
OPTIONS = {
    "environment": ["prod", "(none)"], "service": [history.SERVICE, history.ODD_NAME], "version": ["m@1"],
    "tenant": ["t'1", "(none)"],
}  # fmt: skip
MADE = [board_json(board) for board in BOARDS]
PANELS = [
    (f"{board['uid']}: {panel['title']}", panel["targets"][0])
    for board in MADE
    for panel in board["panels"]
    if panel["type"] != "text"
]
SPECS = {f"{board.uid}: {panel.title}": panel for board in BOARDS for panel in board.panels}
SERIES = {name: target["rawSql"] for name, target in PANELS if target["format"] == 0}
TABLES = {name: target["rawSql"] for name, target in PANELS if target["format"] == 1}
VARIABLES = {v["name"]: v["query"] for v in MADE[0]["templating"]["list"] if v["type"] == "query"}
NOTES = {note["name"]: note["target"]["rawSql"] for note in MADE[0]["annotations"]["list"]}
RULES = {rule["uid"].removeprefix("watchkeeper-"): rule for rule in alert_rules()}
RUNBOOKS = {f"{name} {number}": sql for name in names() for number, sql in enumerate(LOOKS.findall(on_board(name)))}
UNTIL = int(STATES["a bad day"].until.timestamp())


@pytest.fixture(scope="session")
def served(filled, store_path):
    """A function from the name of a state to a running endpoint over it."""
    running = {}

    def of(name):
        if name not in running:
            [[database]] = filled(name).query("SELECT currentDatabase()").result_rows
            running[name] = Endpoint(load(clickhouse=f"chdb://{store_path}", clickhouse_database=database, sql_port=0))
            running[name].start()
        return running[name]

    yield of
    for endpoint in running.values():
        endpoint.stop()


def filled_in(sql):
    """Return a query as the browser sends it, with two values chosen in every variable."""
    return settle(sql, OPTIONS, OPTIONS)


def answers(plugin, endpoint, queries, seconds=2 * 86_400, *, tables=True):
    """Return the answer to each of some named queries over the seconds before the end of the bad day."""
    span = {"from": UNTIL - seconds, "to": UNTIL}
    asked = client.ask(plugin, endpoint, *(filled_in(sql) for sql in queries.values()), tables=tables, **span)
    given = dict(zip(queries, asked, strict=True))
    assert {name: answer["error"] for name, answer in given.items() if "error" in answer} == {}
    for name, answer in given.items():
        numbers = [field for field in answer["fields"] or [] if "float" in field["type"]]
        spelt = [value for field in numbers for value in field.get("values", []) if isinstance(value, str)]
        assert not spelt, f"{name}: a number is NaN or infinite"
    return given


def kinds(fields):
    """Return the types of fields, without whether they may be missing."""
    return [field["type"].removeprefix("*") for field in fields]


def test_every_time_series_gives_the_frame_that_is_drawn(plugin, served):
    """Times stand first, series are sorted, text becomes labels and every other column a nullable number."""
    for name, answer in answers(plugin, served("a bad day"), SERIES, tables=False).items():
        assert answer["rows"], name
        check_series(name, answer)


def test_every_table_has_rows_and_columns_that_are_told_apart(plugin, served):
    """The client reads every type, no two columns share a name, and units and links are of columns that are there."""
    for name, answer in answers(plugin, served("a bad day"), TABLES).items():
        assert answer["rows"], name
        assert len({field["name"] for field in answer["fields"]}) == len(answer["fields"]), name
        assert set(kinds(answer["fields"])) <= {*NUMBERS, "string", "bool", "time.Time"}, name
        columns = {field["name"] for field in answer["fields"]}
        assert {*SPECS[name].units, *SPECS[name].links} <= columns, name
        times = {field["name"] for field in answer["fields"] if field["type"].endswith("time.Time")}
        assert times == {column for column, unit in SPECS[name].units.items() if unit == "dateTimeAsIso"}, name


def check_series(name, answer):
    """Hold a time series against what Grafana makes of a long frame."""
    first, *others = answer["fields"]
    assert (first["name"], first["type"]) == ("time", "time.Time"), name
    assert all(a <= b for a, b in pairwise(first["values"])), name
    assert set(kinds(others)) <= {*NUMBERS, "string"}, name
    labelled = "string" in kinds(others)
    assert set(kinds(answer["series"][1:])) <= NUMBERS, name
    if labelled:  # a number that cannot be NULL is drawn as 0 where a service has no row
        assert all(field["type"].startswith("*") for field in answer["series"][1:]), name
    assert all(bool(field.get("labels")) == labelled for field in answer["series"][1:]), name


def test_every_variable_is_one_column_of_text(plugin, served):
    """What is offered above a board is text, each value once."""
    for name, answer in answers(plugin, served("a bad day"), VARIABLES).items():
        [column] = answer["fields"]
        assert column["type"] == "string", name
        assert len(set(column["values"])) == len(column["values"]) > 0, name


def test_every_annotation_has_a_time_a_text_and_tags(plugin, served):
    """Grafana finds these columns by their names; an end is a time, and tags are one text with commas."""
    given = answers(plugin, served("a bad day"), NOTES)
    for name, answer in given.items():
        types = {field["name"]: field["type"] for field in answer["fields"]}
        assert types.pop("timeEnd", "time.Time") == "time.Time", name
        assert types == {"time": "time.Time", "text": "string", "tags": "string"}, name
        assert answer["rows"], name
    assert {field["name"] for field in given["Incidents"]["fields"]} >= {"timeEnd"}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_gives_the_frame_that_expressions_take(plugin, served, name):
    """One number and text beside it, without a time: each row is a series of its own."""
    window = RULES[name]["data"][0]["relativeTimeRange"]["from"]
    sql = RULES[name]["data"][0]["model"]["rawSql"]
    answer = answers(plugin, served("a bad day"), {name: sql}, window)[name]
    types = kinds(answer["fields"])
    assert answer["rows"]
    assert types.count("float64") == 1
    assert set(types) <= {"float64", "string"}
    assert len({field["name"] for field in answer["fields"]}) == len(types)


def test_the_rule_about_the_store_has_a_row_where_nothing_is_stored(plugin, served):
    """On empty tables it says that it does not know, and no rule says anything else."""
    given = answers(
        plugin, served("nothing"), {name: rule["data"][0]["model"]["rawSql"] for name, rule in RULES.items()}
    )
    rows = {name: answer["rows"] for name, answer in given.items() if answer["rows"]}
    assert rows == {"store": 1}
    assert [(field["type"], field["values"]) for field in given["store"]["fields"]] == [("*float64", [None])]


def test_every_query_of_a_runbook_is_answered(plugin, served):
    """What stands on the board of runbooks can be run as it stands there, with the services that are chosen."""
    given = answers(plugin, served("a bad day"), RUNBOOKS)
    assert len(given) == 3 * len(names())
