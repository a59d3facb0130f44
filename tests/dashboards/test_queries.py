"""Every query of every board runs on the migrated tables, whatever is in them and whatever is chosen."""

import math
import re
from datetime import timedelta
from importlib import resources
from itertools import product

import pytest

from dashboards.queries import names, query
from dashboards.variables import NAMES as ALL
from tests.support.dashboards import history
from tests.support.dashboards.grafana import alert_rules, expand, targets
from tests.support.dashboards.states import SPANS, STATES

pytestmark = pytest.mark.store

SINCE, UNTIL = history.START, history.BAD_UNTIL - timedelta(minutes=1)
OPTIONS = {
    "environment": ["prod", "(none)"],
    "service": [history.SERVICE, history.ODD_NAME],
    "version": ["m@1"],
    "tenant": ["t'1", "(none)"],
}
ASKED = [(f"{board}: {name}", sql, series) for board, name, sql, series in targets()]
VARIABLES = {name: query(f"var_{name}") for name in ALL}
ALERTS = {rule["uid"]: rule["data"][0]["model"]["rawSql"] for rule in alert_rules()}
SHAPES = ("unsafe-served", "drift-open", "burn-6h", "not-acknowledged", "untrusted", "dead-letters", "store")
"""One rule for each query of rules."""

QUOTED = {"service": [history.ODD_NAME, "'); DROP TABLE findings; --"], "tenant": ["t'1"]}
CHOICES = {
    "All": lambda _offered: {},
    "one": lambda offered: {name: values[:1] for name, values in offered.items() if values},
    "several": lambda offered: {name: values[:3] for name, values in offered.items() if len(values) > 1},
    "a quote": lambda _offered: QUOTED,
}
MATRIX = [
    (state, list(SPANS)[(at + number) % len(SPANS)], choice)
    for (at, state), (number, choice) in product(enumerate(list(STATES)[:4]), enumerate(CHOICES))
]
"""Every pair of a state, a span and a choice, in half of their product."""
UNFILTERED = ("tuning: Rule: ", "review: Governance")
"""What is about every service on purpose."""


def answer(client, sql, chosen=None, options=None):
    """Return the answer to a query over the bad day."""
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


def check_numbers(name, result):
    """What is not known is missing: no number is NaN or infinite."""
    odd = [row for row in result.result_rows if any(isinstance(x, float) and not math.isfinite(x) for x in row)]
    assert not odd, (name, odd[:3])


def check_filter(name, result, wanted):
    """Nothing is shown of a service that is not chosen; what is of all services has no name."""
    if "service" in result.column_names:
        place = result.column_names.index("service")
        assert {row[place].split(" - ")[0] for row in result.result_rows} <= {*wanted, "", "all"}, name


def offered(client, since, until):
    """Return the values that each variable offers, on All, as Grafana asks for them: one after the other."""
    values = {}
    for name in ALL:
        rows = client.query(expand(VARIABLES[name], since, until, {}, values)).result_rows
        values[name] = [row[0] for row in rows]
    return values


@pytest.fixture(scope="session")
def asked():
    """What was asked of which state: a query that no variable is in is the same in every choice."""
    return set()


@pytest.mark.parametrize(("state", "span", "choice"), MATRIX)
def test_every_query_runs_whatever_is_stored_shown_and_chosen(filled, asked, state, span, choice):
    """Series keep their shape, no number is NaN, and what is shown is of what is chosen."""
    client, until = filled(state), STATES[state].until
    since = until - SPANS[span]
    options = offered(client, since, until)
    chosen = CHOICES[choice](options)
    for name, sql, series in ASKED:
        text = expand(sql, since, until, chosen, options)
        if (state, text) in asked:
            continue
        asked.add((state, text))
        result = client.query(text)
        check_numbers(name, result)
        if series and result.result_rows:  # an answer without rows has no columns
            check_series(name, result)
            assert state != "nothing", name
        if not name.startswith(UNFILTERED):
            check_filter(name, result, chosen.get("service", options["service"]))


def test_alert_queries_are_silent_on_empty_tables(filled):
    """Nothing is invented: there is no row, or one that says that nothing is known."""
    for name in SHAPES:
        assert answer(filled("nothing"), ALERTS[f"watchkeeper-{name}"]).result_rows in ([], [(None,)]), name


def test_the_tenant_variable_filters_by_tenant(filled):
    """A tenant with a quote in its name is found, and the other is not."""
    sql, client = query("top_tenants"), filled("a bad day")
    assert [row[0] for row in answer(client, sql, {"tenant": ["t'1"]}, OPTIONS).result_rows] == ["t'1"]
    assert len(answer(client, sql, {}, OPTIONS).result_rows) == 2


def test_alert_queries_give_one_number_and_labels(filled):
    """Each has exactly one numeric column, no time, and text for the rest: what Grafana's expressions take."""
    for name in SHAPES:
        sql = ALERTS[f"watchkeeper-{name}"]
        result = filled("a bad day").query(expand(sql, UNTIL - timedelta(hours=12), UNTIL, {}, {}))
        kinds = [kind.name for kind in result.column_types]
        assert sum(kind in {"Float64", "Nullable(Float64)"} for kind in kinds) == 1, (name, kinds)
        assert sum(kind.endswith(("String", "String)")) for kind in kinds) == len(kinds) - 1, (name, kinds)
        check_numbers(name, result)


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
