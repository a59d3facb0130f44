"""Under which names, and from which pages, the house may be asked: SQL, API and worker ports."""

import asyncio
import socket

import pytest
import requests
from aiohttp import web
from fastapi import FastAPI, Request

from streams.access.callers import Callers
from streams.access.half_open import close_idle
from streams.api.middleware import RequestLimits
from streams.api.server import Server
from streams.local.broker import free_port
from streams.settings import load
from streams.sql.app import TYPES
from streams.sql.server import Endpoint
from streams.store.client import connect

STRANGE = [
    {"Host": "evil.example"},
    {"Host": "evil.example:8123"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "localhost@evil.example"},
    {"Host": "203.0.113.9"},
    {"Host": "localhost/x"},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "https://127.0.0.1.evil.example"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "null"},
    {"Origin": "file://"},
    {"Referer": "http://evil.example/page"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


def callers(types=TYPES, **settings):
    """Return the door of an installation with some settings."""
    return Callers(load(**settings), types)


@pytest.mark.parametrize("headers", STRANGE)
def test_strange_names_and_foreign_pages_are_refused(headers):
    """A name that is not ours is 421, a page of another site 403, whatever else is right."""
    refusal = callers().refusal("GET", {"Host": "127.0.0.1:8123"} | headers)
    assert refusal is not None
    assert refusal.status == (421 if "Host" in headers else 403)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8123", "127.0.0.1:1", "[::1]:8123", "127.0.0.2"])
def test_loopback_is_always_ours(host):
    """Programs of this machine ask under any name of loopback, and say nothing of pages."""
    assert callers().refusal("POST", {"Host": host}) is None


def test_settings_name_more_hosts():
    """The bound address, the public URL's host and the named ones are ours; on all addresses, every address is."""
    bound = callers(host="192.0.2.7", public_url="https://Monitor.example/x", allowed_hosts="history, incidents")
    for host in ("192.0.2.7:8130", "monitor.example", "history:6066", "incidents:8130"):
        assert bound.refusal("GET", {"Host": host}) is None
    assert bound.refusal("GET", {"Host": "192.0.2.8"}) is not None
    assert bound.refusal("GET", {"Host": "192.0.2.7", "Origin": "https://monitor.example"}) is None
    everywhere = callers(host="0.0.0.0")
    assert everywhere.refusal("GET", {"Host": "192.0.2.8:6066"}) is None
    assert everywhere.refusal("GET", {"Host": "pod.example"}) is not None


def test_a_page_of_the_service_itself_may_ask():
    """Same origin is our own page."""
    own = {"Host": "127.0.0.1:8130", "Origin": "http://127.0.0.1:8130", "Sec-Fetch-Site": "same-origin"}
    assert callers().refusal("POST", own) is None


@pytest.mark.parametrize(
    ("kind", "sql", "api"),
    [
        ("application/json; charset=utf-8", None, None),
        ("application/x-www-form-urlencoded", None, None),
        ("", None, None),
        ("text/plain; charset=utf-8", None, 415),
        ("multipart/form-data; boundary=x", None, 415),
        ("text/html", 415, 415),
        ("image/svg+xml", 415, 415),
    ],
)
def test_bodies_are_of_the_kinds_that_clients_send(kind, sql, api):
    """The API takes `application/...`; SQL also what ClickHouse's own clients send, from no page of another site."""
    for types, expected in ((TYPES, sql), (frozenset(), api)):
        refusal = callers(types).refusal("POST", {"Host": "localhost", "Content-Type": kind})
        assert (refusal.status if refusal else None) == expected


def statuses(url):
    """Return the answers to strange requests, and to a plain one at the end."""
    asked = [*STRANGE, {}]
    return [
        requests.post(url, headers=headers, data=b"", timeout=60).status_code
        for headers in asked
        if headers.get("Host", "x")
    ]


@pytest.mark.store
def test_sql_answers_no_foreign_page(store_path):
    """The endpoint itself refuses each, before it reads anything, and goes on answering programs."""
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database="hostile_hosts", sql_port=0)
    with connect(settings):
        endpoint = Endpoint(settings)
        endpoint.start()
        url = f"http://127.0.0.1:{endpoint.port}/"
        assert set(statuses(url + "?query=SELECT+1")) == {403, 200}
        assert statuses(url + "?query=SELECT+1")[-1] == 200
        assert requests.get(url + "ping", headers={"Host": "evil.example"}, timeout=60).status_code == 403
        endpoint.stop()


@pytest.mark.store
def test_api_and_worker_ports_answer_no_foreign_page():
    """Both refuse each before any path is looked at, and answer programs; half a header is closed after a while."""

    async def page(_):
        return web.Response()

    async def serve():
        app = FastAPI()

        @app.post("/")
        async def said(request: Request) -> int:
            return len(await request.body())

        app.add_middleware(RequestLimits, most_bytes=100, callers=callers(frozenset()))
        port = free_port()
        api = Server(app, "127.0.0.1", port)
        await api.start()
        worker = web.Application(middlewares=[callers(frozenset()).middleware()])
        worker.add_routes([web.post("/", page)])
        runner = web.AppRunner(worker, handle_signals=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        found = [
            await asyncio.to_thread(statuses, f"http://127.0.0.1:{each}/") for each in (port, runner.addresses[0][1])
        ]
        await runner.cleanup()
        await api.stop()
        return found

    for found in asyncio.run(serve()):
        assert set(found[:-1]) == {421, 403}
        assert found[-1] == 200


@pytest.mark.store
def test_half_open_connections_are_closed():
    """Who sends half a request line, or nothing, is closed after a bound; who is being answered is not."""

    async def slow(_):
        await asyncio.sleep(1.5)
        return web.Response(text="done")

    async def serve():
        app = web.Application()
        app.add_routes([web.get("/", slow)])
        runner = web.AppRunner(app, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        busy = lambda each: each._current_request is not None  # noqa: E731
        sweeper = asyncio.create_task(close_idle(lambda: runner.server.connections, busy, 0.4))
        address = runner.addresses[0][:2]
        answer = asyncio.create_task(asyncio.to_thread(requests.get, f"http://127.0.0.1:{address[1]}/", timeout=30))
        closed = await asyncio.gather(
            *(asyncio.to_thread(ended, address, sent) for sent in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nA:"))
        )
        text = (await answer).text
        sweeper.cancel()
        await runner.cleanup()
        return closed, text

    assert asyncio.run(serve()) == ([True] * 3, "done")


def ended(address, sent):
    """Tell whether the other side closes a connection over which some bytes were sent."""
    with socket.create_connection(address, timeout=60) as connection:
        connection.sendall(sent)
        try:
            return connection.recv(100) == b""
        except ConnectionResetError:
            return True
