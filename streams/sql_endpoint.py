"""Read-only SQL over ClickHouse's HTTP interface, served by the process that holds the embedded store."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog
from aiohttp import web

from streams.settings import Settings
from streams.sql_guard import Reader, SqlError
from streams.storage import connect

log: Final = structlog.get_logger()

MAX_QUERY_BYTES: Final = 1_048_576
READERS: Final = 4

_local: Final = threading.local()


def sql_app(settings: Settings) -> web.Application:
    """Return the application: ``/ping``, and queries by GET or POST at ``/``."""
    pool = ThreadPoolExecutor(READERS, "sql")

    def run(query: str, output: str, parameters: dict[str, str]) -> tuple[bytes, str]:
        if not hasattr(_local, "reader"):
            _local.reader = Reader(connect(settings))
        reader: Reader = _local.reader
        return reader.run(query, output, parameters)

    async def answer(request: web.Request) -> web.StreamResponse:
        query = request.query.get("query", "") + (await request.text() if request.can_read_body else "")
        if not query.strip():
            return web.Response(text="Ok.\n")
        output = request.query.get("default_format") or request.headers.get("X-ClickHouse-Format") or "TabSeparated"
        parameters = {name[6:]: value for name, value in request.query.items() if name.startswith("param_")}
        try:
            body, named = await asyncio.get_running_loop().run_in_executor(pool, run, query, output, parameters)
        except SqlError as error:
            return _error(error)
        response = web.Response(body=body, headers={**_HEADERS, "X-ClickHouse-Format": named})
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    async def ping(request: web.Request) -> web.Response:
        return web.Response(text="Ok.\n")

    app = web.Application(client_max_size=MAX_QUERY_BYTES)
    app.add_routes([web.get("/ping", ping), web.get("/", answer), web.post("/", answer)])
    return app


_HEADERS: Final = {
    "X-ClickHouse-Timezone": "UTC",
    "X-ClickHouse-Server-Display-Name": "watchkeeper",
    "X-ClickHouse-Summary": "{}",
}


def _error(error: SqlError) -> web.Response:
    status = {497: 403, 164: 403, 62: 400, 47: 404, 60: 404}.get(error.code, 500)
    headers = {**_HEADERS, "X-ClickHouse-Exception-Code": str(error.code)}
    return web.Response(text=f"{error}\n", status=status, headers=headers)


class Endpoint:
    """A running endpoint, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._loop: Final = asyncio.new_event_loop()
        self._ready: Final = threading.Event()
        self._error: OSError | None = None
        self.port = settings.sql_port
        self._thread: Final = threading.Thread(target=self._run, name="sql-endpoint", daemon=True)

    def start(self) -> None:
        """Serve, or raise `OSError` where the port is taken."""
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        runner = web.AppRunner(sql_app(self._settings), access_log=None)
        try:
            self._loop.run_until_complete(runner.setup())
            site = web.TCPSite(runner, self._settings.host, self._settings.sql_port)
            self._loop.run_until_complete(site.start())
            self.port = runner.addresses[0][1]
        except OSError as error:
            self._error = error
        finally:
            self._ready.set()
        if self._error is None:
            self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()

    def stop(self) -> None:
        """Stop serving."""
        if self._error is None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)


def serve_sql(settings: Settings) -> Endpoint:
    """Start the endpoint.

    Raises
    ------
    ValueError
        Where its port is taken, with the setting that moves it.
    """
    endpoint = Endpoint(settings)
    try:
        endpoint.start()
    except OSError as error:
        raise ValueError(
            f"port {settings.sql_port} on {settings.host} is taken ({error.strerror}); set WATCHKEEPER_SQL_PORT"
        ) from error
    log.info("sql endpoint", url=f"http://{settings.host}:{endpoint.port}/")
    return endpoint
