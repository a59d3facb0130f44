"""The KPIs as people get them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from schemas.kpis import KPIS
from streams.commands.main import app
from streams.kpis.page import chart
from streams.kpis.period import Period, begin
from streams.kpis.show import line, period_rows, some_rows
from streams.store.client import rows
from tests.support.histories import counts, judge

pytestmark = pytest.mark.store

SHAPE = [
    "kpi", "axis", "part", "window_start", "service_name", "model_version", "value", "lower", "upper", "n", "trust",
    "trust_reason",
]  # fmt: skip


def test_the_hourly_kpis_have_the_shape_that_the_page_promises(client):
    """Names and types of `kpis_hourly`."""
    types = {row[0]: row[1] for row in rows(client, "DESCRIBE TABLE kpis_hourly")}
    assert list(types) == SHAPE
    assert types["window_start"] == "DateTime('UTC')"
    assert {types[name] for name in ("value", "lower", "upper")} == {"Nullable(Float64)"}


@pytest.fixture
def run(client, store_settings, monkeypatch):
    """Run the command over two hours of one service, of which the later one has lost its guard."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    whole = {"g": 100}
    stored = [
        counts(0, "shop", events=100, unsafe_served=1, unsafe_attempted=4,
               outputs_by_guards=whole, served_by_guards=whole) | {"hour": hour - timedelta(hours=2)},
        counts(0, "shop", events=300, unsafe_served=9, unsafe_attempted=9,
               outputs_by_guards={"": 300}, served_by_guards={"": 300}) | {"hour": hour - timedelta(hours=1)},
    ]  # fmt: skip
    client.insert("service_hours", [list(row.values()) for row in stored], column_names=list(stored[0]))
    judge(client)
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE", store_settings.clickhouse)
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", store_settings.clickhouse_database)
    monkeypatch.setenv("WATCHKEEPER_SQL_PORT", "1")  # nothing answers there: the store is asked in this process

    def command(*arguments, since="6h", said=""):
        result = CliRunner().invoke(app, ["kpi", "--since", since, *arguments], env={"COLUMNS": "200"})
        assert result.exit_code == 0, result.output
        assert result.stderr == said
        return result.stdout

    return command


def test_no_kpi_is_missing_in_the_registry(run, client):
    """Whatever the views count has a title, a unit and a known bias."""
    found = rows(
        client,
        "SELECT DISTINCT kpi FROM kpis(since='2020-01-01 00:00:00', until='2100-01-01 00:00:00', step=3600, "
        "versions=0, objective=0.99, known_at='2100-01-01 00:00:00')",
    )
    assert {"unsafe_served", "risk_adjusted_uptime", "late_events"} <= {name for (name,) in found}
    assert {name for (name,) in found} <= {kpi.id for kpi in KPIS}


def test_some_kpis_are_what_they_are_among_all(run, store_settings):
    """Each that is counted over windows has the same rows whether it is asked of its own view or of that of all."""
    now = datetime.now(UTC)
    period = Period(now - timedelta(hours=6), now)
    elsewhere = ("kpi_governance_now", "kpi_burn_rates", "kpi_call_burn_rates")
    asked = [kpi.id for kpi in KPIS if kpi.view not in elsewhere]
    every = period_rows(store_settings, period)
    some = some_rows(store_settings, period, asked, now)
    assert some == [{name: row[name] for name in some[0]} for row in every if row["kpi"] in asked]
    assert [row["value"] for row in some if row["kpi"] == "unsafe_served"] == [10 / 400]
    assert some_rows(store_settings, period, ("unsafe_served",), now) == [
        r for r in some if r["kpi"] == "unsafe_served"
    ]


def test_json_is_of_the_counts_of_the_period(run):
    """A share of the period is the sum over the sum, not the mean of the hours, and says why it is not trusted."""
    found = {(row["kpi"], row["service_name"]): row for row in map(json.loads, run("--json").splitlines())}
    served = found["unsafe_served", "shop"]
    assert (served["value"], int(served["n"])) == (10 / 400, 400)
    assert (served["trust"], served["trust_reason"]) == ("untrusted", "1 of 2 hours, first: guard coverage 0 %")
    assert found["guard_coverage", "shop"]["trust"] == "trusted"
    assert found["governance", ""]["value"] is None
    said = "the store holds no events of nobody at all\n"
    assert run("--json", "--service", "nobody", said=said) == ""


def test_a_period_ends_where_it_is_told_to(run):
    """Up to an hour ago the hour without a guard is not in it; a span counts back from the end."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    end = f"{hour - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    found = {
        row["kpi"]: row for row in map(json.loads, run("--json", "--service", "shop", "--until", end).splitlines())
    }
    assert (found["unsafe_served"]["value"], int(found["unsafe_served"]["n"])) == (1 / 100, 100)


def test_a_period_without_events_says_what_span_has_some(run):
    """The hint names the first and the last hour that are stored, beside the table and not in it."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    stored = f"{hour - timedelta(hours=2):%Y-%m-%dT%H:%M} to {hour:%Y-%m-%dT%H:%M} UTC"
    asked = "from 2026-03-01 00:00 to 2026-03-08 00:00 UTC"
    hint = f"the store holds no events {asked}; those it holds are from {stored}\n"
    shown = run("--until", "2026-03-08", since="7d", said=hint)
    assert "unsafe" not in shown.lower()


def test_the_table_shows_value_interval_and_trust(run):
    """Untrusted lines say so, and what is not known is not a number."""
    shown = run()
    line = next(line for line in shown.splitlines() if "Unsafe output served" in line)
    assert "2.50 %" in line
    assert "1.36 % to 4.54 %" in line
    assert "untrusted: 1 of 2 hours" in line
    assert "not known" in shown


def test_the_html_page_needs_nothing_else(run, tmp_path):
    """One file with its charts inside, and no address to fetch anything from."""
    file = tmp_path / "kpis.html"
    run("--html", str(file))
    text = file.read_text()
    assert text.count("<svg") >= 8
    assert "Unsafe output served" in text
    assert "src=" not in text
    assert "<script" not in text


def test_a_chart_shades_the_hours_that_are_not_trusted():
    """A shaded hour is one more shape in the drawing."""
    points = [{"at": 1_772_409_600 + 3_600 * hour, "value": 0.1, "lower": 0.0, "upper": 0.2, "trust": "trusted"}
              for hour in range(3)]  # fmt: skip
    broken = [*points[:2], points[2] | {"trust": "untrusted", "value": None, "lower": None, "upper": None}]
    assert chart(KPIS[0], broken).count("patch_") == chart(KPIS[0], points).count("patch_") + 1


@pytest.mark.parametrize("text", ["", "yesterday", "7", "2027-01-01"])
def test_a_period_that_is_none_is_refused(text):
    """The message says what to write instead."""
    with pytest.raises(ValueError, match="--since"):
        begin(text, datetime(2026, 3, 9, tzinfo=UTC))


def test_a_side_that_is_not_known_is_a_question_mark():
    """An interval that few observations leave open does not end in a number; where there is none, nothing is said."""
    row = {
        "kpi": "leak_events",
        "axis": "security",
        "part": "",
        "service_name": "a",
        "value": 1,
        "n": 1,
        "trust": "trusted",
    }
    assert line(row | {"lower": None, "upper": 3.0}).interval == "? to 3"
    assert line(row | {"lower": None, "upper": None}).interval == ""
