"""Read-only SQL over HTTP on the real engine."""

import concurrent.futures

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

from streams.settings import SettingsError, load
from streams.sql.framing import blocks, pack
from streams.sql.reader import Limits
from streams.sql.server import Endpoint, serve_sql
from streams.store.client import connect, rows
from tests.support.stores import own_database

pytestmark = pytest.mark.store


@pytest.fixture(scope="module")
def own_settings(store_path):
    """Settings of a database for all tests of this file; none of them changes its tables."""
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database="endpoint", sql_port=0)
    with own_database(settings):
        yield settings


@pytest.fixture(scope="module")
def endpoint(own_settings):
    """A running endpoint on a free port."""
    running = Endpoint(own_settings, Limits(seconds=2, memory_bytes=200_000_000, result_bytes=10_000_000))
    running.start()
    yield running
    running.stop()


def post(endpoint, body, headers=None, **keys):
    """Ask and return the answer."""
    data = body.encode() if isinstance(body, str) else body
    return requests.post(f"http://127.0.0.1:{endpoint.port}/", data=data, params=keys, headers=headers, timeout=60)


def refusal(answer):
    """Return status and code of an error, after a look at its form."""
    code = int(answer.headers["X-ClickHouse-Exception-Code"])
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    return answer.status_code, code


def test_formats_and_parameters(endpoint):
    """The format is the query's own, else the URL's, else the header's, else tabs; values travel as parameters."""
    assert post(endpoint, "SELECT 1 AS x").content == b"1\n"
    assert post(endpoint, "SELECT 1 AS x FORMAT JSONEachRow", default_format="CSV").content == b'{"x":1}\n'
    assert post(endpoint, "SELECT {a:String} AS x;", param_a="it's", default_format="CSV").content == b'"it\'s"\n'
    assert post(endpoint, "SELECT 1", {"X-ClickHouse-Format": "TSVWithNames"}).text == "1\n1\n"
    assert post(endpoint, b"", query="SELECT 1 AS x\n-- FORMAT CSV").content == b"1\n"
    assert post(endpoint, "+ 1", query="SELECT 1").content == b"2\n"
    form = {"query": (None, "SELECT {a:Int8}"), "param_a": (None, "5")}
    assert requests.post(f"http://127.0.0.1:{endpoint.port}/", files=form, timeout=60).text == "5\n"


@pytest.mark.parametrize(
    "query",
    ["SHOW TABLES", "DESCRIBE findings", "EXPLAIN SELECT 1", "WITH 1 AS x SELECT x", "SHOW CREATE TABLE findings",
     "SELECT 1 UNION ALL SELECT 2", "EXISTS findings", "SELECT 'file' AS `Function file`, '\n Function url'"],
)  # fmt: skip
def test_reading_statements_pass(endpoint, query):
    """Every kind of reading runs; a text or a name that looks like a function is none."""
    assert post(endpoint, query).status_code == 200


@pytest.mark.parametrize("name", ["JSON", "CSVWithNames", "Native", "Arrow", "ArrowStream", "Parquet", "RowBinary"])
def test_binary_and_text_formats_come_whole(endpoint, name):
    """Each format is answered with its name; Arrow and Parquet are read back by their own library."""
    answer = post(endpoint, "SELECT number AS n FROM numbers(1000)", default_format=name)
    assert (answer.status_code, answer.headers["X-ClickHouse-Format"]) == (200, name)
    if name == "ArrowStream":
        assert pa.ipc.open_stream(answer.content).read_all().num_rows == 1000
    if name == "Parquet":
        assert pq.read_table(pa.BufferReader(answer.content)).num_rows == 1000


def test_headers_tell_what_a_query_took(endpoint):
    """Query id, time zone and summary are there, and a progress header where one is asked for."""
    answer = post(endpoint, "SELECT * FROM numbers(7)", query_id="mine", send_progress_in_http_headers="1")
    assert (answer.headers["X-ClickHouse-Query-Id"], answer.headers["X-ClickHouse-Timezone"]) == ("mine", "UTC")
    assert answer.headers["X-ClickHouse-Summary"] == answer.headers["X-ClickHouse-Progress"]
    assert '"result_rows":"7"' in answer.headers["X-ClickHouse-Summary"]


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO changes (event_id) VALUES ('a')",
        "DROP TABLE changes",
        "CREATE TABLE x (a Int8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE x (a Int8)",
        "ALTER TABLE changes DELETE WHERE 1",
        "SET readonly = 0",
        "USE system",
        "KILL QUERY WHERE 1",
        "CHECK TABLE changes",
        "BACKUP TABLE changes TO File('/tmp/watchkeeper-backup')",
        "SYSTEM SHUTDOWN",
        "GRANT ALL ON *.* TO default",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT file('/etc/hostname')",
        "SELECT * FROM (SELECT `FILE`('/etc/hostname'))",
        "WITH file('/etc/hostname') AS x SELECT x",
        "EXPLAIN SELECT file('/etc/hostname')",
        "SELECT 1 IN file('/etc/hostname')",
        "DESCRIBE file('/etc/hostname')",
        "DESCRIBE url('http://127.0.0.1:1/x.csv')",
        "DESCRIBE (SELECT file('/etc/hostname'))",
        "SELECT * FROM view(SELECT file('/etc/hostname'))",
        "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
        "SELECT * FROM s3('http://127.0.0.1:1/bucket/x.csv')",
        "SELECT * FROM remote('127.0.0.1', 'system.one')",
        "SELECT * FROM cluster('default', system.one)",
        "SELECT * FROM executable('x', 'CSV', 'a String')",
        "SELECT * FROM merge('default', '.*')",
        "SELECT * FROM sqlite('/tmp/x', 'y')",
        "SELECT * FROM Python(client)",
        "SELECT * FROM eval('SELECT 1')",
        "SELECT aiGenerate('x')",
        "SELECT * FROM default.`/etc/hostname`",
        "EXISTS TABLE default.`/etc/hostname`",
        "SHOW CREATE TABLE default.`/etc/hostname`",
        "SELECT 1 IN `default`.`/etc/hostname`",
        "SELECT 1 INTO OUTFILE '/tmp/watchkeeper-outfile'",
        "SHOW TABLES INTO OUTFILE '/tmp/watchkeeper-outfile'",
        "EXPLAIN SELECT 1 INTO OUTFILE '/tmp/watchkeeper-outfile' FORMAT CSV",
    ],
)
def test_nothing_but_reading_is_allowed(endpoint, query):
    """Whatever writes, stops others, changes the session or leaves the database is refused as access denied."""
    assert refusal(post(endpoint, query)) == (403, 497)


@pytest.mark.parametrize(
    ("query", "keys", "expected"),
    [
        ("SELECT nonsense", {}, (404, 47)),
        ("SELECT FROM WHERE", {}, (400, 62)),
        ("", {}, (400, 62)),
        ("SELECT 1; SELECT 2", {}, (400, 62)),
        ("SELECT 1; KILL QUERY WHERE 1", {}, (400, 62)),
        ("SELECT * FROM nowhere", {}, (404, 60)),
        ("SELECT * FROM nowhere.t", {}, (403, 497)),
        ("SELECT 1", {"database": "no`where"}, (404, 81)),
        ("SELECT nofunction(1)", {}, (404, 46)),
        ("SELECT 1 FORMAT Nonsense", {}, (404, 73)),
        ("SELECT 1", {"default_format": "Nonsense"}, (404, 73)),
        ("SELECT {a:Int8}", {}, (500, 456)),
        ("SELECT {a:Int8}", {"param_a": "x"}, (500, 457)),
        ("SELECT 1", {"nonsense": "1"}, (404, 115)),
        ("SELECT 1", {"max_threads = 1, readonly": "0"}, (404, 115)),
        ("SELECT 1", {"readonly": "0"}, (500, 164)),
        ("SELECT 1", {"format_schema": "/etc/passwd"}, (500, 164)),
        ("SELECT 1 SETTINGS readonly = 0", {}, (500, 164)),
        ("SELECT 1", {"max_execution_time": "soon"}, (400, 27)),
        ("SELECT count() FROM numbers(1000000000000000)", {}, (408, 159)),
        ("SELECT count() FROM numbers(1000)", {"max_rows_to_read": "10"}, (500, 158)),
        ("SELECT count() FROM numbers(1000000000000000)", {"max_execution_time": "0"}, (408, 159)),
        ("SELECT * FROM system.numbers", {"max_execution_time": "9999"}, (500, 396)),
        ("SELECT range(400000000)", {"max_memory_usage": "0"}, (500, 69)),
        ("SELECT repeat('x', 1000000) FROM numbers(1000000)", {}, (500, 241)),
        ("SELECT repeat(toString(number % 9), 100000) FROM numbers(200)", {}, (500, 396)),
        ("SELECT '" + "x" * 10_000_000 + "'", {}, (400, 62)),
        (b"SELECT '\xff'", {}, (400, 27)),
    ],
)  # fmt: skip
def test_errors_have_the_status_and_the_code_of_clickhouse(endpoint, query, keys, expected):
    """Status, code and text are ClickHouse's; limits can be lowered by a setting and never be raised."""
    assert refusal(post(endpoint, query, **keys)) == expected


def test_settings_hold_for_one_question(endpoint):
    """An allowed setting changes its own answer and no later one; limits can be lowered; `default` is our database."""
    query = "SELECT toDateTime(0) AS t"
    assert post(endpoint, query, session_timezone="Asia/Tokyo").text == "1970-01-01 09:00:00\n"
    assert post(endpoint, query).text == "1970-01-01 00:00:00\n"
    assert refusal(post(endpoint, "SELECT * FROM numbers(10)", max_result_rows="5")) == (500, 396)
    assert len(post(endpoint, "SELECT * FROM numbers(10)").content) == 20
    assert post(endpoint, "SELECT count() FROM findings", database="default").text == "0\n"


def test_a_stopped_query_leaves_nothing_behind(endpoint):
    """What a stopped query had already found is in nobody's later answer."""
    for _ in range(3):
        assert refusal(post(endpoint, "SELECT * FROM system.numbers", max_execution_time="1")) in {
            (408, 159),
            (500, 396),
        }
        assert post(endpoint, "SELECT 'mine'").text == "mine\n"


def test_readers_and_a_writer_work_side_by_side(endpoint, own_settings):
    """Twenty concurrent readers see whole inserts while another client writes."""
    writer = connect(own_settings)
    writer.command("CREATE TABLE pairs (a Int32) ENGINE = MergeTree ORDER BY a")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(post, endpoint, "SELECT count() FROM pairs") for _ in range(20)]
        for _ in range(5):
            writer.insert("pairs", [[1]] * 100, column_names=["a"])
        counts = [int(answer.result().text) for answer in answers]
    assert all(count % 100 == 0 for count in counts)
    assert rows(writer, "SELECT count() FROM pairs") == [(500,)]
    writer.close()


def test_answers_are_packed_as_asked(endpoint):
    """HTTP's codings, ClickHouse's own blocks, or nothing at all, as the client takes them; errors likewise."""
    url = f"http://127.0.0.1:{endpoint.port}/?query=SELECT+1"
    for name, codec in [("gzip", "gzip"), ("zstd", "zstd"), ("lz4", "lz4"), ("br", "brotli")]:
        with requests.get(url, headers={"Accept-Encoding": name}, stream=True, timeout=60) as answer:
            assert answer.headers["Content-Encoding"] == name
            packed = answer.raw.read(decode_content=False)
        assert pa.CompressedInputStream(pa.BufferReader(packed), codec).read() == b"1\n"
    plain = requests.get(url, headers={"Accept-Encoding": "identity"}, timeout=60)
    assert ("Content-Encoding" in plain.headers, plain.content) == (False, b"1\n")
    assert requests.get(url + "&compress=1", timeout=60).content == blocks(b"1\n")
    wrong = requests.get(url + "x&compress=1", timeout=60)
    assert (wrong.status_code, wrong.content[16]) == (404, 0x82)


def test_questions_come_packed(endpoint):
    """A body may be gzip, zstd or lz4; one that unpacks to more than a query may be is refused."""
    for name in ("gzip", "zstd", "lz4"):
        assert post(endpoint, pack(b"SELECT 3", name), {"Content-Encoding": name}).text == "3\n"
        bomb = pack(b" " * 50_000_000, name)
        assert refusal(post(endpoint, bomb, {"Content-Encoding": name})) == (400, 62)
    assert post(endpoint, b"no gzip", {"Content-Encoding": "gzip"}).status_code == 400
    assert post(endpoint, b"no lz4", {"Content-Encoding": "lz4"}).status_code == 400


def test_ping_and_an_empty_get_say_ok(endpoint):
    """Load balancers and clients look for these words."""
    for path in ("ping", ""):
        assert requests.get(f"http://127.0.0.1:{endpoint.port}/{path}", timeout=60).text == "Ok.\n"


def test_a_taken_port_is_one_clear_line(endpoint, own_settings):
    """The error names the setting that moves the endpoint."""
    with pytest.raises(ValueError, match="WATCHKEEPER_SQL_PORT"):
        serve_sql(own_settings.model_copy(update={"sql_port": endpoint.port}))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_others_are_not_served_without_a_user_file(own_settings, host):
    """An address beyond this machine needs users; the error says how to get them."""
    with pytest.raises(SettingsError, match="watchkeeper sql-user"):
        Endpoint(own_settings.model_copy(update={"host": host}))
