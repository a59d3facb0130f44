"""The SQL endpoint and our queries, asked through the Go client and the data frames of Grafana's ClickHouse plugin."""

import json
import os
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from dashboards.queries import query
from dashboards.variables import settle
from streams.history_writer import HistoryWriter
from streams.sql_endpoint import Endpoint
from streams.sql_http.users import user_line
from tests.dashboards.grafana import targets
from tests.streams.test_decode import NOW_MS
from tests.streams.test_history_writer import write

pytestmark = pytest.mark.store

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "tests" / "plugin"
ASKED = {f"{board}: {name}": (sql, series) for board, name, sql, series in targets()}
NUMBERS = {"float64", "float32", "uint64", "int64", "uint32", "int32", "uint8", "int8"}


@pytest.fixture(scope="session")
def plugin():
    """The program, built once; Go's own cache makes the next build quick."""
    if shutil.which("go") is None:
        assert not os.environ.get("CI"), "Go is missing; CI must have it"
        pytest.skip("Go is not installed")
    target = Path.home() / ".cache" / "watchkeeper" / "plugin-client"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["go", "build", "-trimpath", "-mod=readonly", "-o", str(target), "."]
    built = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=280, check=False)
    if built.returncode and not os.environ.get("CI"):
        pytest.skip(f"the Go modules cannot be had: {built.stderr[-300:]}")
    assert built.returncode == 0, built.stderr
    return target


@pytest.fixture
def endpoint(client, store_settings):
    """A running endpoint over tables with some minutes of events and one finding."""
    write(HistoryWriter(client), 0, 400)
    columns = ["finding_id", "kind", "severity", "service_name", "metric", "detected_time", "evidence"]
    row = ["f1", "rate", "page", "svc0", "leak", NOW_MS * 1_000_000, "more leaks"]
    client.insert("findings", [row], column_names=columns)
    running = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    running.start()
    yield running
    running.stop()


def ask(plugin, endpoint, *queries, **flags):
    """Return the answers of the program."""
    flags = {"from": NOW_MS // 1000 - 86_400, "to": NOW_MS // 1000 + 86_400} | flags
    options = [f"-{name}={value}" for name, value in flags.items()]
    lines = "\n".join(json.dumps({"refId": str(place), "sql": query}) for place, query in enumerate(queries))
    command = [plugin, f"-address=127.0.0.1:{endpoint.port}", *options]
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.parametrize("compression", ["none", "gzip", "lz4"])
def test_the_client_connects_reads_and_sees_errors(plugin, endpoint, compression):
    """Handshake, types, many blocks, empty answers and errors pass, whatever compression the data source is set to."""
    numbers, typed, empty, wrong, forbidden = ask(
        plugin,
        endpoint,
        "SELECT number FROM numbers(200000)",
        "SELECT toDateTime64(0, 3, 'UTC') AS t, 'a'::LowCardinality(String) AS s, NULL::Nullable(Float64) AS n, "
        "7::Nullable(UInt8) AS m, true AS b, toDate('2026-01-02') AS d, toUUID('00000000-0000-0000-0000-000000000001')",
        "SELECT 1 WHERE 0",
        "SELECT nonsense",
        "DROP TABLE findings",
        compression=compression,
    )
    assert (numbers["rows"], numbers["fields"][0]["values"][-1]) == (200_000, 199_999)
    assert [field["type"] for field in typed["fields"]][:6] == [
        "time.Time", "string", "*float64", "*uint8", "bool", "time.Time",
    ]  # fmt: skip
    assert [field.get("values") for field in typed["fields"]][2:5] == [[None], [7], [True]]
    assert (empty["rows"], empty.get("error")) == (0, None)
    assert "[HTTP 404]" in wrong["error"]
    assert "Code: 47" in wrong["error"]
    assert "[HTTP 403]" in forbidden["error"]
    assert "Code: 497" in forbidden["error"]


def chosen(sql):
    """Return a query with all variables on All, which is two services."""
    return settle(sql, {}, {"service": ["svc0", "svc1"]})


def test_queries_of_the_boards_give_the_frames_that_grafana_draws(plugin, endpoint):
    """Times stand first, series are sorted, text becomes labels and every other column a nullable number."""
    answers = ask(plugin, endpoint, *(chosen(sql) for sql, _ in ASKED.values()))
    drawn = 0
    for (name, (_, series)), answer in zip(ASKED.items(), answers, strict=True):
        assert "error" not in answer, (name, answer["error"])
        if not series or not answer["rows"]:
            continue
        drawn += 1
        first = answer["fields"][0]
        assert (first["name"], first["type"]) == ("time", "time.Time"), name
        assert all(a <= b for a, b in pairwise(first["values"])), name
        kinds = [field["type"].removeprefix("*") for field in answer["fields"][1:]]
        assert set(kinds) <= {*NUMBERS, "string"}, name
        labelled = "string" in kinds
        assert {field["type"].removeprefix("*") for field in answer["series"][1:]} <= NUMBERS, name
        if labelled:  # a number that cannot be NULL is drawn as 0 where a service has no row
            assert all(field["type"].startswith("*") for field in answer["series"][1:]), name
        assert all(bool(field.get("labels")) == labelled for field in answer["series"][1:]), name
    assert drawn > 5


def test_a_rule_gives_the_frame_that_expressions_take(plugin, endpoint):
    """One number and text beside it, without a time: each row is a series of its own."""
    values = {"kpi": "unsafe_served", "view": "kpi_shares", "bound": "lower"}
    (answer,) = ask(plugin, endpoint, query("alert_kpi", **values))
    assert [field["type"] for field in answer["fields"]] == ["string", "float64"]
    assert answer["rows"] == 2


def test_the_macros_become_what_the_data_source_makes_of_them(plugin, endpoint):
    """Time filters hold whole seconds and both ends; buckets are at least a second; an unknown macro is an error."""
    filtered, bucketed, unknown = ask(
        plugin,
        endpoint,
        "SELECT count() FROM service_minutes WHERE $__timeFilter(minute)",
        "SELECT $__timeInterval(minute) AS time, sum(events) AS n FROM service_minutes_now GROUP BY time ORDER BY time",
        "SELECT $__nonsense(1)",
        **{"from": 1_000, "to": 2_000, "interval": "100ms"},
    )
    assert filtered["sql"].endswith("minute >= toDateTime(1000) AND minute <= toDateTime(2000)")
    assert filtered["fields"][0]["values"] == [0]
    assert "INTERVAL 1 second" in bucketed["sql"]
    assert bucketed["rows"] > 1
    assert "Code: 46" in unknown["error"]


def test_the_client_logs_in(plugin, client, store_settings, tmp_path):
    """User and password of the data source are held against the user file."""
    users = tmp_path / "users.yaml"
    right, wrong = "s3cret: ü", "guess"
    users.write_text("users:\n" + user_line("grafana", right) + "\n")
    running = Endpoint(store_settings.model_copy(update={"sql_port": 0, "sql_users": users}))
    running.start()
    try:
        (admitted,) = ask(plugin, running, "SELECT 1", user="grafana", password=right)
        (turned_away,) = ask(plugin, running, "SELECT 1", user="grafana", password=wrong)
    finally:
        running.stop()
    assert admitted["fields"][0]["values"] == [1]
    assert "Code: 516" in turned_away["error"]
