"""The HTTP side: reads a request, asks in a thread, writes the answer or the error as ClickHouse does."""

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog
from aiohttp import ClientPayloadError, web
from aiohttp.typedefs import Middleware

from streams.access.callers import Callers
from streams.access.limits.pace import Over
from streams.access.proxy.hops import FORWARDED, Hops
from streams.health.metrics import TURNED_AWAY
from streams.sql.errors import (
    ACCESS_DENIED,
    CANNOT_PARSE,
    NETWORK_ERROR,
    SYNTAX_ERROR,
    TIMEOUT_EXCEEDED,
    UNKNOWN_EXCEPTION,
    SqlError,
    refused,
)
from streams.sql.framing import blocks, coding, pack, unpack
from streams.sql.lanes import Lanes
from streams.sql.reader import Answer
from streams.sql.request import Asked, credentials, is_framed, parse_request
from streams.sql.users import Doorkeeper

TYPES: Final = frozenset({"multipart/form-data", "text/plain"})
"""What ClickHouse's clients send beside ``application/...`` and nothing."""

USER: Final = web.RequestKey("user", str)
QUESTION: Final = web.RequestKey("question", str)
OVER: Final = web.RequestKey("over", Over)
ADDRESS: Final = web.RequestKey("address", str)
"""What a request turned out to be, for who stands around the application: whom it is of, what it asks, whether they ask
too much, and from where."""

log: Final = structlog.get_logger()

MAX_QUERY_BYTES: Final = 262_144
"""ClickHouse's ``max_query_size``."""

BODY_SECONDS: Final = 30.0
"""How long a client may take to send its question."""

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
    """The application: ``/ping``, and questions by GET or POST at ``/``.

    Parameters
    ----------
    lanes
        Answers questions.
    door
        Tells who may ask.
    callers
        Tells from which pages and under which names it may be asked.
    hops
        Tell from where it is asked.
    """

    def __init__(self, lanes: Lanes, door: Doorkeeper, callers: Callers, hops: Hops) -> None:
        self._hops: Final = hops
        self._lanes: Final = lanes
        self._door: Final = door
        self._callers: Final = callers

    def application(self, middlewares: Sequence[Middleware] = ()) -> web.Application:
        """Return it for aiohttp."""
        app = web.Application(client_max_size=MAX_QUERY_BYTES, middlewares=middlewares)
        app.add_routes([web.get("/ping", self._ping), web.get("/", self._answer), web.post("/", self._answer)])
        return app

    async def _ping(self, request: web.Request) -> web.Response:
        if why := self._callers.refusal(request.method, request.headers):
            TURNED_AWAY.labels("sql", ACCESS_DENIED).inc()
            return _error(refused(ACCESS_DENIED, "ACCESS_DENIED", why.text))
        return web.Response(text="Ok.\n")

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
        except Exception as fault:
            log.exception("a question failed", fault=type(fault).__name__)
            error = refused(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", f"the endpoint failed: {type(fault).__name__}")
        TURNED_AWAY.labels("sql", error.code).inc()
        if error.over is not None:
            request[OVER] = error.over
        return _error(error, framed=is_framed(request.query))

    async def _served(self, request: web.Request) -> web.StreamResponse:
        if why := self._callers.refusal(request.method, request.headers):
            raise refused(ACCESS_DENIED, "ACCESS_DENIED", why.text)
        user, password = credentials(request.query, request.headers)
        address = request[ADDRESS] = self._hops.client(request.remote or "", request.headers.getall(FORWARDED, []))
        await self._door.admit(user, password, address)
        request[USER] = user
        self._door.limits.question(user)
        async with asyncio.timeout(BODY_SECONDS):
            body, form = await _body(request)
        asked = parse_request(request.query, request.headers, body, form)
        if (services := self._door.services(user)) is not None:
            asked = replace(asked, limits=(*asked.limits, services))
        request[QUESTION] = asked.query
        if asked.query:
            return _response(request, asked, await self._lanes.answer(asked, f"{user}@{address}"))
        if request.method == "POST":
            raise refused(
                SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query"
            )
        return web.Response(text="Ok.\n")


async def _body(request: web.Request) -> tuple[str, dict[str, str]]:
    """Return the text of the body, or the fields of a form."""
    if request.content_type == "multipart/form-data":
        try:
            fields = await request.post()
        except web.HTTPRequestEntityTooLarge:
            raise _too_long() from None
        except (ValueError, AssertionError, web.HTTPException, ClientPayloadError) as error:
            text = f"the form cannot be read, its end or its boundary may be missing: {error}"
            raise refused(CANNOT_PARSE, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", text) from None
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
    if error.over is not None:
        headers["Retry-After"] = str(math.ceil(error.over.seconds))
    body = f"{error}\n".encode()
    return web.Response(
        body=blocks(body) if framed else body, status=error.status, headers=headers, content_type="text/plain"
    )
