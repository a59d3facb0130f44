"""The HTTP side: reads a request, asks in a thread, writes the answer or the error as ClickHouse does."""

import asyncio
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from aiohttp import web

from streams.health import TURNED_AWAY
from streams.sql_http.errors import CANNOT_PARSE, NETWORK_ERROR, SYNTAX_ERROR, TIMEOUT_EXCEEDED, SqlError, refused
from streams.sql_http.framing import blocks, coding, pack, unpack
from streams.sql_http.reader import Answer, Reader
from streams.sql_http.request import Asked, credentials, is_framed, parse_request
from streams.sql_http.users import Doorkeeper

MAX_QUERY_BYTES: Final = 262_144
"""ClickHouse's ``max_query_size``."""

BODY_SECONDS: Final = 30.0
"""How long a client may take to send its question."""

READERS: Final = 4
GRACE_SECONDS: Final = 10
"""How much longer than its limit a query may take before its client is told; the engine looks at the clock between
blocks, so one long function call ends late."""

Result = TypeVar("Result")

_TYPES: Final = (
    ("JSONEachRow", "application/x-ndjson; charset=UTF-8"),
    ("JSON", "application/json; charset=UTF-8"),
    ("CSV", "text/csv; charset=UTF-8; header=absent"),
    ("TabSeparated", "text/tab-separated-values; charset=UTF-8"),
    ("TSV", "text/tab-separated-values; charset=UTF-8"),
    ("Pretty", "text/plain; charset=UTF-8"),
    ("Vertical", "text/plain; charset=UTF-8"),
    ("Markdown", "text/markdown; charset=UTF-8"),
    ("XML", "application/xml; charset=UTF-8"),
)


class SqlApp:
    """The application: ``/ping``, and questions by GET or POST at ``/``."""

    def __init__(self, reader: Reader, door: Doorkeeper, seconds: float) -> None:
        self._reader: Final = reader
        self._door: Final = door
        self._seconds: Final = seconds + GRACE_SECONDS
        self._pool: Final = ThreadPoolExecutor(READERS, "sql")

    def application(self) -> web.Application:
        """Return it for aiohttp."""
        app = web.Application(client_max_size=MAX_QUERY_BYTES)
        app.add_routes([web.get("/ping", _ping), web.get("/", self._answer), web.post("/", self._answer)])
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._served(request)
        except SqlError as refusal:
            error = refusal
        except TimeoutError:
            error = refused(
                TIMEOUT_EXCEEDED, "TIMEOUT_EXCEEDED", "Timeout exceeded: the question or its answer took too long"
            )
        except asyncio.CancelledError:  # the client went away
            TURNED_AWAY.labels("sql", NETWORK_ERROR).inc()
            raise
        TURNED_AWAY.labels("sql", error.code).inc()
        return _error(error, framed=is_framed(request.query))

    async def _served(self, request: web.Request) -> web.Response:
        await self._in_thread(self._door.admit, *credentials(request.query, request.headers))
        async with asyncio.timeout(BODY_SECONDS):
            body, form = await _body(request)
        asked = parse_request(request.query, request.headers, body, form)
        if asked.query:
            return _response(request, asked, await self._run(asked))
        if request.method == "POST":
            raise refused(
                SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query"
            )
        return web.Response(text="Ok.\n")

    async def _run(self, asked: Asked) -> Answer:
        """Return the answer; a query that nobody waits for any more is stopped."""
        ticket = uuid.uuid4().hex
        try:
            return await self._in_thread(self._reader.run, asked, ticket)
        except (asyncio.CancelledError, TimeoutError):
            asyncio.get_running_loop().run_in_executor(None, self._reader.stop, ticket)
            raise

    async def _in_thread(self, call: Callable[..., Result], *arguments: object) -> Result:
        running = asyncio.get_running_loop().run_in_executor(self._pool, partial(call, *arguments))
        return await asyncio.wait_for(running, self._seconds)


async def _ping(request: web.Request) -> web.Response:
    return web.Response(text="Ok.\n")


async def _body(request: web.Request) -> tuple[str, dict[str, str]]:
    """Return the text of the body, or the fields of a form."""
    if request.content_type == "multipart/form-data":
        try:
            fields = await request.post()
        except web.HTTPRequestEntityTooLarge:
            raise _too_long() from None
        return "", {name: value for name, value in fields.items() if isinstance(value, str)}
    data = b""
    async for chunk in request.content.iter_chunked(65_536):
        data += chunk
        if len(data) > MAX_QUERY_BYTES:
            raise _too_long()
    if name := request.headers.get("Content-Encoding", "").lower():
        data = unpack(data, name, MAX_QUERY_BYTES + 1)
        if len(data) > MAX_QUERY_BYTES:
            raise _too_long()
    try:
        return data.decode(), {}
    except UnicodeDecodeError as error:
        raise refused(CANNOT_PARSE, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", f"the query is not UTF-8: {error}") from None


def _too_long() -> SqlError:
    return refused(
        SYNTAX_ERROR, "SYNTAX_ERROR", f"Max query size exceeded: a query has at most {MAX_QUERY_BYTES} bytes"
    )


def _response(request: web.Request, asked: Asked, answer: Answer) -> web.Response:
    summary = json.dumps(answer.summary, separators=(",", ":"))
    headers = {
        "Content-Type": _type_of(answer.output),
        "X-ClickHouse-Format": answer.output,
        "X-ClickHouse-Query-Id": asked.query_id,
        "X-ClickHouse-Server-Display-Name": "watchkeeper",
        "X-ClickHouse-Summary": summary,
        "X-ClickHouse-Timezone": asked.settings.get("session_timezone", "UTC"),
    }
    if request.query.get("send_progress_in_http_headers") == "1":
        headers["X-ClickHouse-Progress"] = summary
    body = blocks(answer.body) if asked.framed else answer.body
    name = coding(request.headers.get("Accept-Encoding", ""))
    if body and name and not asked.framed and request.query.get("enable_http_compression") != "0":
        body, headers["Content-Encoding"] = pack(body, name), name
    return web.Response(body=body, headers=headers)


def _type_of(output: str) -> str:
    return next((kind for prefix, kind in _TYPES if output.startswith(prefix)), "application/octet-stream")


def _error(error: SqlError, *, framed: bool = False) -> web.Response:
    headers = {"X-ClickHouse-Exception-Code": str(error.code), "X-ClickHouse-Server-Display-Name": "watchkeeper"}
    body = f"{error}\n".encode()
    return web.Response(
        body=blocks(body) if framed else body, status=error.status, headers=headers, content_type="text/plain"
    )
