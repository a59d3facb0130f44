"""The SQL endpoint, asked through the Go client of Grafana's ClickHouse plugin."""

import pytest

from streams.history.writer import HistoryWriter
from streams.sql.server import Endpoint
from streams.sql.users import user_line
from tests.real.plugin import client as client_of
from tests.streams.events.test_decode import NOW_MS
from tests.streams.history.test_writer import write

pytestmark = pytest.mark.store
plugin = client_of.plugin


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
    """Return the answers of the program over the days around the events."""
    flags = {"from": NOW_MS // 1000 - 86_400, "to": NOW_MS // 1000 + 86_400} | flags
    return client_of.ask(plugin, endpoint, *queries, **flags)


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
