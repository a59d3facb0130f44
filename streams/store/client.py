"""One client for both stores: the ClickHouse engine in this process, or a ClickHouse server."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from clickhouse_connect.driver.httpclient import HttpClient
from urllib3.exceptions import HTTPError

from streams.health.secrets import Secret, secret
from streams.settings import Settings
from streams.sql.engine import BOUNDS, folder

WRITE: Final = {"async_insert": 0, "insert_deduplicate": 0}
"""Our batches are exact by the offsets in their rows; anything cleverer on the server loses or doubles them."""


class StoreUnavailableError(ConnectionError):
    """The store does not answer now; wait and try again."""


class StoreBusyError(RuntimeError):
    """Another process holds the store's folder."""


def connect(settings: Settings) -> Client:
    """Open a client. Each thread takes one of its own.

    Raises
    ------
    StoreBusyError
        Where another process holds the folder of a ``chdb://`` store.
    StoreUnavailableError
        Where a server does not answer.
    """
    try:
        with _answering(settings):
            client = _client(settings)
            name = settings.clickhouse_database
            client.command(f"CREATE DATABASE IF NOT EXISTS {name}")
            if settings.clickhouse.startswith("chdb://"):
                client.command(f"USE {name}")
            client.database = name
    except ClickHouseError as error:
        if "EmbeddedServer" not in str(error):
            raise
        raise StoreBusyError(
            f"another process holds {settings.clickhouse}; while a history worker runs, ask it with `watchkeeper sql`"
        ) from error
    return client


@contextmanager
def reading(settings: Settings, seconds: float | None = None) -> Iterator[Client]:
    """Give a client of a server to ask with, for users who may make no database.

    Parameters
    ----------
    seconds
        How long it waits for the server; the client's own limits, when not given.

    Raises
    ------
    StoreUnavailableError
        Where the server does not answer.
    ValueError
        With ClickHouse's own message, where it refuses.
    """
    try:
        with _answering(settings), _client(settings, settings.clickhouse_database, seconds) as client:
            yield client
    except ClickHouseError as error:
        raise ValueError(str(error)) from error


@contextmanager
def _answering(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (OperationalError, HTTPError, OSError) as error:
        raise StoreUnavailableError(f"ClickHouse does not answer at {settings.clickhouse}: {error}") from error


def _client(settings: Settings, database: str | None = None, seconds: float | None = None) -> Client:
    if settings.clickhouse.startswith("chdb://"):
        path = folder(settings)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return clickhouse_connect.get_client(dsn=f"chdb://{path}", chdb_options=BOUNDS)
    limits: dict[str, Any] = {} if seconds is None else {"connect_timeout": seconds, "send_receive_timeout": seconds}
    held = secret(settings, "clickhouse_password")
    client = clickhouse_connect.get_client(dsn=settings.clickhouse, password=held.now(), database=database, **limits)
    if isinstance(client, HttpClient) and held.file is not None and held.now():
        client.headers = _Headers(client.headers, held)
    return client


class _Headers(dict[str, str]):
    """Headers of a client of a server, which copies them for each request: with the password as its file is then."""

    def __init__(self, made: dict[str, str], held: Secret) -> None:
        super().__init__(made)
        self._held: Final = held

    def copy(self) -> dict[str, str]:
        name = b64decode(self["Authorization"].removeprefix("Basic ")).partition(b":")[0]
        who = name + b":" + self._held.now().encode()
        return {**self, "Authorization": f"Basic {b64encode(who).decode()}"}


def rows(client: Client, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Return the rows of a query; values travel as parameters, never inside the text."""
    return [tuple(row) for row in client.query(query, parameters=parameters or {}).result_rows]


def named_rows(client: Client, query: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a query by the names of their columns, else as `rows`."""
    result = client.query(query, parameters=parameters or {})
    return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]
