"""Read-only SQL over HTTP on the real engine."""

import concurrent.futures
import gzip
import urllib.error
import urllib.parse
import urllib.request

import clickhouse_connect
import pytest

from streams.sql_endpoint import Endpoint
from streams.storage import connect, rows

pytestmark = pytest.mark.store


@pytest.fixture
def endpoint(client, store_settings):
    """A running endpoint on a free port."""
    running = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    running.start()
    yield running
    running.stop()


def get(endpoint, query, **parameters):
    """Ask and return status, body and headers."""
    url = f"http://127.0.0.1:{endpoint.port}/?" + urllib.parse.urlencode({"query": query, **parameters})
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers


def test_it_answers_in_any_format_with_parameters(endpoint):
    """Formats, parameters and the default format work as in ClickHouse."""
    assert get(endpoint, "SELECT 1 AS x")[1] == b"1\n"
    assert get(endpoint, "SELECT 1 AS x FORMAT JSONEachRow")[1] == b'{"x":1}\n'
    assert get(endpoint, "SELECT {a:String} AS x", param_a="it's", default_format="CSV")[1] == b'"it\'s"\n'
    assert get(endpoint, "SHOW TABLES")[0] == 200
    status, body, headers = get(endpoint, "SELECT nonsense")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (404, "47")
    assert b"nonsense" in body


def test_clickhouse_connect_reads_through_it(endpoint):
    """The usual Python client connects, reads types and passes parameters."""
    client = clickhouse_connect.get_client(host="127.0.0.1", port=endpoint.port)
    result = client.query("SELECT number, toDateTime(0, 'UTC') AS t FROM numbers({n:Int32})", parameters={"n": 3})
    assert [row[0] for row in result.result_rows] == [0, 1, 2]
    client.close()


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO changes (event_id) VALUES ('a')",
        "DROP TABLE changes",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "ALTER TABLE changes DELETE WHERE 1",
        "SELECT 1 SETTINGS readonly = 0",
        "SET readonly = 0",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT file('/etc/hostname')",
        "SELECT * FROM (SELECT FILE('/etc/hostname'))",
        "SELECT 1; SELECT file('/etc/hostname')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1', 'system.one')",
        "SELECT * FROM executable('x', 'CSV', 'a String')",
        "SELECT * FROM Python(client)",
        "SELECT 1 INTO OUTFILE '/tmp/watchkeeper-outfile'",
        "SYSTEM SHUTDOWN",
    ],
)
def test_nothing_but_reading_is_allowed(endpoint, query):
    """Whatever writes, changes settings or leaves the database is refused with ClickHouse's own code."""
    status, body, headers = get(endpoint, query)
    assert status >= 400
    assert int(headers["X-ClickHouse-Exception-Code"]) > 0
    assert b"root" not in body


def test_a_runaway_query_is_stopped(endpoint, monkeypatch):
    """More rows than allowed are an error, not a long wait."""
    status, body, _ = get(endpoint, "SELECT * FROM numbers(2000000)")
    assert status == 500
    assert b"max rows" in body


def test_readers_and_a_writer_work_side_by_side(endpoint, store_settings):
    """Twenty concurrent readers see whole inserts while another client writes."""
    writer = connect(store_settings)
    writer.command("CREATE TABLE pairs (a Int32) ENGINE = MergeTree ORDER BY a")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(get, endpoint, "SELECT count() FROM pairs") for _ in range(20)]
        for _ in range(5):
            writer.insert("pairs", [[1]] * 100, column_names=["a"])
        counts = [int(answer.result()[1]) for answer in answers]
    assert all(count % 100 == 0 for count in counts)
    assert rows(writer, "SELECT count() FROM pairs") == [(500,)]
    writer.close()


def test_answers_are_compressed_when_asked(endpoint):
    """A client that takes gzip gets gzip."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{endpoint.port}/?query=SELECT+1", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert gzip.decompress(answer.read()) == b"1\n"
