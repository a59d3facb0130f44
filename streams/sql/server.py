"""Read-only SQL over ClickHouse's HTTP interface, served by the process that holds the embedded store."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from aiohttp.web_protocol import RequestHandler

from streams.access.callers import Callers
from streams.access.half_open import close_idle
from streams.access.hosts import loopback
from streams.access.proxy.hops import Hops
from streams.access.teams import Team
from streams.settings import Settings, SettingsError
from streams.sql.app import TYPES, SqlApp
from streams.sql.lanes import Lanes
from streams.sql.limits import UserLimits
from streams.sql.reader import Limits, Reader
from streams.sql.users import Doorkeeper, followed
from streams.tls.asking import address
from streams.tls.doors import door

log: Final = structlog.get_logger()


STOP_SECONDS: Final = 2.0
"""How long the endpoint waits for clients when it stops, and for the rest of a body that it has refused."""


class Endpoint:
    """A running endpoint, in a thread of its own.

    Parameters
    ----------
    settings
        Address, port, user file and store.
    limits
        The most that one question may take.
    around
        What stands around the application, and sees its requests and answers.
    teams
        Those of the policy, to whose services users may be limited.

    Raises
    ------
    SettingsError
        Where the address is not of this machine alone and there is no user file, or the file cannot be used, or a
        certificate.
    """

    def __init__(
        self,
        settings: Settings,
        limits: Limits | None = None,
        around: Sequence[Middleware] = (),
        teams: Mapping[str, Team] | None = None,
    ) -> None:
        if settings.sql_users is None and not loopback(settings.host):
            raise SettingsError(
                f"WATCHKEEPER_HOST={settings.host} would let anyone who reaches this machine read the store: name a "
                "user file in WATCHKEEPER_SQL_USERS; `watchkeeper sql-user NAME` prints a line for it"
            )
        self._settings: Final = settings
        self._limits: Final = limits or Limits()
        self._around: Final = around
        users = None if settings.sql_users is None else followed(settings.sql_users)
        self._door: Final = Doorkeeper(users, UserLimits(settings), teams)
        self._hops: Final = Hops(settings)
        self._tls: Final = door(settings, "sql")
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
        reader = Reader(self._settings, self._limits)
        app = SqlApp(Lanes(reader, self._limits), self._door, Callers(self._settings, TYPES), self._hops)
        runner = web.AppRunner(
            app.application(self._around),
            access_log=None,
            auto_decompress=False,  # the application does it, up to its own limit
            shutdown_timeout=STOP_SECONDS,
            lingering_time=STOP_SECONDS,
            handler_cancellation=True,  # a client that goes away takes its query with it
        )
        try:
            self._loop.run_until_complete(runner.setup())
            site = web.TCPSite(runner, self._settings.host, self._settings.sql_port, ssl_context=self._tls)
            self._loop.run_until_complete(site.start())
            self.port = runner.addresses[0][1]
            sweeper = self._loop.create_task(close_idle(lambda: _connections(runner), _busy))
        except OSError as error:
            self._error = error
        finally:
            self._ready.set()
        if self._error is None:
            self._loop.run_forever()
            sweeper.cancel()
        self._loop.run_until_complete(runner.cleanup())
        self._loop.close()
        reader.close()

    def stop(self) -> None:
        """Stop serving."""
        if self._error is None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout=10)


def serve_sql(
    settings: Settings, around: Sequence[Middleware] = (), teams: Mapping[str, Team] | None = None
) -> Endpoint:
    """Start the endpoint; `around` and `teams` are as for `Endpoint`.

    Raises
    ------
    ValueError
        Where its port is taken, with the setting that moves it; or as `Endpoint`.
    """
    endpoint = Endpoint(settings, around=around, teams=teams)
    try:
        endpoint.start()
    except OSError as error:
        raise ValueError(
            f"port {settings.sql_port} on {settings.host} is taken ({error.strerror}); set WATCHKEEPER_SQL_PORT"
        ) from error
    log.info("sql endpoint", url=f"{address(settings, endpoint.port)}/")
    return endpoint


def _connections(runner: web.AppRunner) -> list[RequestHandler]:
    return runner.server.connections if runner.server is not None else []


def _busy(connection: RequestHandler) -> bool:
    return connection._current_request is not None  # noqa: SLF001  aiohttp shows it nowhere
