"""Every query of every board runs on the migrated tables, whatever is in them and whatever is chosen."""

import re
from datetime import timedelta
from importlib import resources

import pytest

from dashboards.queries import names, query
from tests.dashboards import history
from tests.dashboards.grafana import alert_rules, expand, targets

pytestmark = pytest.mark.store

SINCE, UNTIL = history.START, history.BAD_UNTIL - timedelta(minutes=1)
OPTIONS = {
    "environment": ["prod", "(none)"],
    "service": [history.SERVICE, history.ODD_NAME],
    "version": ["m@1"],
    "tenant": ["t'1", "(none)"],
}
CHOICES = {
    "All": {},
    "one": {name: values[:1] for name, values in OPTIONS.items()},
    "several, one with a quote": OPTIONS,
}
ASKED = [(f"{board}: {name}", sql, series) for board, name, sql, series in targets()]
ALERTS = {rule["uid"]: rule["data"][0]["model"]["rawSql"] for rule in alert_rules()}
SHAPES = ("unsafe-served", "drift-open", "burn-6h", "not-acknowledged", "untrusted", "dead-letters", "store")
"""One rule for each query of rules."""


def answer(client, sql, chosen=None, options=None):
    """Return the answer to a query over the history."""
    return client.query(expand(sql, SINCE, UNTIL, chosen or {}, options or {}))


def check_series(name, result):
    """Time stands first and is sorted; text is a label; where there are labels every number may be missing."""
    kinds = [kind.name for kind in result.column_types]
    assert result.column_names[0] == "time", name
    assert kinds[0].startswith("DateTime"), name
    times = [row[0] for row in result.result_rows]
    assert times == sorted(times), name
    numbers = [kind for kind in kinds[1:] if kind not in {"String", "LowCardinality(String)"}]
    assert numbers, name
    assert all(kind.startswith(("Nullable(Float", "Nullable(UInt", "Nullable(Int")) for kind in numbers) or (
        len(numbers) == len(kinds) - 1 and not any("DateTime" in kind for kind in numbers)
    ), (name, kinds)


def test_on_empty_tables_every_query_runs_and_invents_nothing(client):
    """No series has a point; only what counts what is there has a row."""
    for name, sql, series in ASKED:
        result = answer(client, sql)
        assert not series or result.result_rows == [], name
    for name in SHAPES:
        assert answer(client, ALERTS[f"watchkeeper-{name}"]).result_rows in ([], [(None,)]), name


def test_on_a_history_every_query_gives_rows_in_the_shape_that_is_drawn(client):
    """Every panel has something to show of a bad day, with everything chosen."""
    history.write_all(client)
    for name, sql, series in ASKED:
        result = answer(client, sql, OPTIONS, OPTIONS)
        assert result.result_rows, name
        if series:
            check_series(name, result)
        lists = [row for row in result.result_rows if any(value != value for value in row)]  # noqa: PLR0124 (NaN)
        assert not lists, (name, lists[:3])


@pytest.mark.parametrize("chosen", CHOICES.values(), ids=list(CHOICES))
def test_variables_filter_and_never_break_a_query(client, chosen):
    """All, one and several values, with quotes in them, are accepted, and what is shown is what was chosen."""
    history.write_hours(client, SINCE, SINCE + timedelta(hours=3))
    wanted = set(chosen.get("service", OPTIONS["service"]))
    for name, sql, _series in ASKED:
        if "${" not in sql:
            continue
        result = answer(client, sql, chosen, OPTIONS)
        if "service" in result.column_names and not name.startswith("overview"):
            place = result.column_names.index("service")
            assert {row[place] for row in result.result_rows} <= wanted, name


def test_the_tenant_variable_filters_by_tenant(client):
    """A tenant with a quote in its name is found, and the other is not."""
    history.write_hours(client, SINCE, SINCE + timedelta(hours=1))
    sql = query("top_tenants")
    shown = [row[0] for row in answer(client, sql, {"tenant": ["t'1"]}, OPTIONS).result_rows]
    assert shown == ["t'1"]
    assert len(answer(client, sql, {}, OPTIONS).result_rows) == 2


def test_alert_queries_give_one_number_and_labels(client):
    """Each has exactly one numeric column, no time, and text for the rest: what Grafana's expressions take."""
    history.write_all(client)
    for name in SHAPES:
        sql = ALERTS[f"watchkeeper-{name}"]
        since = UNTIL - timedelta(hours=12)
        result = client.query(expand(sql, since, history.CLEAN_UNTIL + timedelta(hours=23, minutes=59), {}, {}))
        kinds = [kind.name for kind in result.column_types]
        assert sum(kind in {"Float64", "Nullable(Float64)"} for kind in kinds) == 1, (name, kinds)
        assert sum(kind.endswith(("String", "String)")) for kind in kinds) == len(kinds) - 1, (name, kinds)
        assert all(value == value for row in result.result_rows for value in row), name  # noqa: PLR0124 (NaN)


def test_every_named_query_is_used():
    """No file lies about that no panel, rule or variable asks."""
    from dashboards.boards import BOARDS
    from dashboards.rules import RULES

    used = {panel.query for board in BOARDS for panel in board.panels} | {rule.query for rule in RULES}
    used |= {f"var_{name}" for name in OPTIONS} | {"note_changes", "note_incidents"}
    assert used - {""} == set(names())


BASES = re.compile(r"\b(inferences|agent_steps|retrievals|guard_verdicts)\b")


@pytest.mark.parametrize("name", names())
def test_only_rollups_are_read_over_long_times(name):
    """A query that reads events themselves reads at most a day of them."""
    text = (resources.files("dashboards") / "queries" / f"{name}.sql").read_text()
    assert len(BASES.findall(text)) <= text.count("$__toTime - INTERVAL 1 DAY")
