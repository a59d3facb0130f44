"""Odd formats, numbers, forms and names in a request to the SQL endpoint: a clear error, never a bare one."""

import socket

import pytest
import requests

from streams.settings import load
from streams.sql.server import Endpoint
from streams.store.client import connect

pytestmark = pytest.mark.store


@pytest.fixture(scope="module")
def endpoint(store_path):
    """A running endpoint over an empty database."""
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database="hostile_odd", sql_port=0)
    with connect(settings):
        running = Endpoint(settings)
        running.start()
        yield running
        running.stop()


def refusal(answer):
    """Return the status of an error, after a look at its form."""
    assert answer.text.startswith("Code: ")
    assert "Traceback" not in answer.text
    assert "Stack trace" not in answer.text
    return answer.status_code


@pytest.mark.parametrize(
    "keys",
    [
        {"default_format": "DataFrame"},
        {"default_format": "ArrowTable"},
        {"default_format": "JSON\r\nX: 1"},
        {"client_protocol_version": "9" * 5_000},
        {"client_protocol_version": "-1"},
        {"client_protocol_version": "٣"},
        {"query_id": "a\r\nX-Evil: 1"},
        {"query_id": "x" * 300},
        {"max_execution_time": "9" * 5_000},
        {"max_threads": "many"},
        {"session_timezone": "Nowhere\r\nX: 1"},
        {"limit": "many"},
        {"database": "system"},
        {"database": "hostile_odd`; DROP DATABASE x"},
    ],
)
def test_odd_values_in_the_url_are_the_clients_error(endpoint, keys):
    """Each is refused with ClickHouse's form of an error and a status of the client's side; no header is made of it."""
    answer = requests.get(f"http://127.0.0.1:{endpoint.port}/", params={"query": "SELECT 1"} | keys, timeout=60)
    assert 400 <= refusal(answer) < 500
    assert "X-Evil" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=query\r\n\r\nSELECT"),
        ("multipart/form-data; boundary=x", b"no boundary at all"),
        ("multipart/form-data; boundary=" + "x" * 200, b""),
    ],
)
def test_a_form_that_is_cut_short_is_the_clients_error(endpoint, kind, body):
    """A form without boundary or end is refused, with a word on what is wrong."""
    url = f"http://127.0.0.1:{endpoint.port}/"
    assert refusal(requests.post(url, data=body, headers={"Content-Type": kind}, timeout=60)) == 400


def test_a_fault_of_our_own_is_told_in_a_line(endpoint, monkeypatch):
    """What nobody has thought of is one line with a code, and the next question is answered."""
    url = f"http://127.0.0.1:{endpoint.port}/"
    with monkeypatch.context() as broken:
        broken.setattr("streams.sql.app.parse_request", lambda *_: 1 / 0)
        answer = requests.post(url, data=b"SELECT 1", timeout=60)
    assert (refusal(answer), answer.headers["X-ClickHouse-Exception-Code"]) == (500, "1002")
    assert requests.post(url, data=b"SELECT 1", timeout=60).text == "1\n"


def test_headers_of_one_request_cannot_become_two(endpoint):
    """Two lengths, or a length and chunks, are a bad request."""
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 8\r\n"
    for more in (b"Content-Length: 9\r\n\r\nSELECT 1", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as connection:
            connection.sendall(head + more)
            assert b" 400 " in connection.recv(4_096).split(b"\r\n")[0]
