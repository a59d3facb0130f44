"""Clients of the SQL endpoint that are broken, greedy, slow, many, or gone: refused, counted, and no harm to others."""

import concurrent.futures
import socket

import pytest
import requests
from prometheus_client import REGISTRY

from streams.settings import load
from streams.sql.lanes import SLOW
from streams.sql.reader import Limits
from streams.sql.server import Endpoint
from tests.support.stores import own_database
from tests.support.waiting import wait_until

pytestmark = pytest.mark.store

HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
ENDLESS = "SELECT count() FROM numbers(1000000000000000)"


@pytest.fixture(scope="module")
def settings(store_path):
    """Settings of a store of this file."""
    return load(clickhouse=f"chdb://{store_path}", clickhouse_database="doors", sql_port=0)


@pytest.fixture(scope="module")
def own(settings):
    """A client of the house itself, over empty tables."""
    with own_database(settings) as client:
        yield client


@pytest.fixture(scope="module")
def endpoint(settings, own):
    """A running endpoint; its time limit is longer than any test here waits."""
    running = Endpoint(settings, Limits(seconds=120, memory_bytes=200_000_000))
    running.start()
    yield running
    running.stop()


def ask(endpoint, body):
    """Return the answer to a question."""
    return requests.post(f"http://127.0.0.1:{endpoint.port}/", data=body, timeout=60)


def send(endpoint, data):
    """Return a connection over which some bytes were sent."""
    connection = socket.create_connection(("127.0.0.1", endpoint.port), timeout=60)
    connection.sendall(data)
    return connection


def turned_away(code):
    """Return how many requests were refused with a code."""
    return REGISTRY.get_sample_value("watchkeeper_turned_away_total", {"door": "sql", "code": str(code)}) or 0


def running(client):
    """Return how many endless questions run now; readers may not look at those of others."""
    return client.command("SELECT count() - 1 FROM system.processes WHERE query LIKE '%numbers(1000000000000%'")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("DROP TABLE changes", 497),
        ("SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')", 497),
        ("SELECT * FROM system.users", 497),
        ("SELECT 1; DROP TABLE changes", 62),
        ("", 62),
        ("SELECT " + "(" * 20_000 + "1" + ")" * 20_000, 306),
        ("SELECT '" + "x" * 10_000_000 + "'", 62),
        (b"SELECT '\xff'", 27),
        ("SELECT sleepEachRow(1) FROM numbers(1000)", 497),
        ("SELECT groupArray(number) FROM numbers(1000000000)", 241),
        ("SELECT number FROM numbers(1000000000) ORDER BY rand()", 241),
        ("SELECT number FROM numbers(1000000000)", 396),
    ],
)
def test_a_question_that_is_refused_is_counted_and_the_next_is_answered(endpoint, query, code):
    """Whatever is refused has its code of ClickHouse, moves that code's counter by one, and leaves the door open."""
    before = turned_away(code)
    answer = ask(endpoint, query)
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
    assert int(answer.headers["X-ClickHouse-Exception-Code"]) == code
    assert turned_away(code) == before + 1
    assert ask(endpoint, "SELECT 1").text == "1\n"


@pytest.mark.parametrize(
    "rest",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\nSELECT 1\r\n0\r\n\r\n",
        b"Content-Length: many\r\n\r\nSELECT 1",
        b"Content-Length: -5\r\n\r\nSELECT 1",
        b"Content-Length: 8\r\nContent-Length: 9\r\n\r\nSELECT 12",
        b"no header at all\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_bad_request(endpoint, rest):
    """A broken length, chunk or header is answered with 400, and the next client is served."""
    with send(endpoint, HEAD + rest) as connection:
        assert b" 400 " in connection.recv(4_096).split(b"\r\n")[0]
    assert ask(endpoint, "SELECT 1").text == "1\n"


def test_a_client_that_goes_away_takes_its_question_with_it(endpoint, own):
    """More endless questions than may run at a time end with their clients, two minutes before their limit."""
    question = HEAD + f"Content-Length: {len(ENDLESS)}\r\n\r\n{ENDLESS}".encode()
    gone = [send(endpoint, question) for _ in range(3)]
    wait_until(lambda: running(own) >= SLOW)
    gone += [send(endpoint, question) for _ in range(5)]
    for connection in gone:
        connection.close()
    wait_until(lambda: running(own) == 0, seconds=100)


def test_a_client_that_stops_in_the_middle_is_counted_and_holds_nobody_up(endpoint):
    """A hundred half-sent questions keep no other waiting; those whose clients go are counted."""
    before = turned_away(210)
    halves = [send(endpoint, HEAD + b"Content-Length: 50\r\n\r\nSELECT") for _ in range(100)]
    assert ask(endpoint, "SELECT 1").text == "1\n"
    for connection in halves:
        connection.close()
    wait_until(lambda: turned_away(210) == before + 100)


def test_a_slow_client_is_told_that_it_took_too_long(endpoint, monkeypatch):
    """Who does not finish the question in time gets ClickHouse's timeout."""
    monkeypatch.setattr("streams.sql.app.BODY_SECONDS", 0.2)
    with send(endpoint, HEAD + b"Content-Length: 50\r\n\r\nSELECT") as connection:
        answer = connection.recv(4_096)
    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"Code: 159. DB::Exception: Timeout exceeded" in answer


def test_hundreds_at_once_are_all_answered(endpoint):
    """Questions beyond those that may run at a time wait for their turn; none is lost."""
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda number: ask(endpoint, f"SELECT {number}").text, range(300)))
    assert answers == [f"{number}\n" for number in range(300)]
