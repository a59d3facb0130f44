"""A question to the store from another process."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import requests

from streams.access.rows import filters
from streams.access.teams import seen
from streams.health.secrets import secret
from streams.settings import Settings
from streams.sql.request import LIMIT, Asked, escaped
from streams.store.client import StoreUnavailableError, connect, reading
from streams.tls import asking

PING_SECONDS: Final = 10.0
"""Where nobody listens the answer comes at once; a busy machine is not nobody."""
ASK_SECONDS: Final = 60.0

_MISSING: Final = re.compile(r"Unknown table (?:expression identifier '([^']+)'|function (\w+))")
"""What a store says that lacks a table, or a view with parameters, which it takes for a function."""

_deadline: Final[ContextVar[float | None]] = ContextVar("deadline", default=None)

Parameters = dict[str, str | int | list[str]]
"""Values of the placeholders of a query, by name."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Have all questions that are asked here answered within so many seconds, by a store that runs; none is opened.

    Who shows a page asks so: a store that hangs is then a `StoreUnavailableError`, and soon.
    """
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def _seconds_left() -> float | None:
    """Return how long an answer may still take; None where nobody has said so."""
    deadline = _deadline.get()
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise StoreUnavailableError("the store did not answer in time")
    return left


def ask(settings: Settings, query: str, output: str, parameters: Parameters | None = None) -> bytes:
    """Return the answer of a query in one of ClickHouse's formats, over the rows that may be seen here and now.

    An embedded store is asked through the process that holds it; where none runs, it is opened here.

    Raises
    ------
    ValueError
        With ClickHouse's own message, where the query fails.
    """
    with _in_words():
        if not settings.clickhouse.startswith("chdb://"):
            return _ask_server(settings, query, output, parameters or {})
        if _deadline.get() is not None:
            return _ask_running(settings, query, output, parameters or {})
        if endpoint_answers(settings):
            return _ask_endpoint(settings, query, output, parameters or {})
        return _ask_here(settings, query, output, parameters or {})


def ask_running(settings: Settings, query: str, parameters: Parameters) -> list[dict[str, Any]]:
    """Return the answer of a query, one dict a row, from a store that runs; none is opened here.

    Raises
    ------
    StoreUnavailableError
        Where nobody answers.
    ValueError
        As `ask`.
    """
    with _in_words():
        if not settings.clickhouse.startswith("chdb://"):
            return _rows(_ask_server(settings, query, "JSONEachRow", parameters))
        return _rows(_ask_running(settings, query, "JSONEachRow", parameters))


@contextmanager
def _in_words() -> Iterator[None]:
    """Say what is the matter with a store that lacks what our queries ask: it is new, or of a version before."""
    try:
        yield
    except ValueError as error:
        if not (missing := _MISSING.search(str(error))):
            raise
        raise ValueError(
            f"the store has no table {missing[1] or missing[2]!r} yet: a history worker makes its tables as it starts, "
            "so ask again when it is ready; else `watchkeeper migrate` does"
        ) from None


def _ask_running(settings: Settings, query: str, output: str, parameters: Parameters) -> bytes:
    try:
        return _ask_endpoint(settings, query, output, parameters)
    except asking.NotTrustedError as error:
        raise StoreUnavailableError(str(error)) from None
    except requests.RequestException as error:
        raise StoreUnavailableError(f"no history worker answers at {_url(settings)}") from error


def _ask_endpoint(settings: Settings, query: str, output: str, parameters: Parameters) -> bytes:
    answer = asking.ask(
        settings,
        "POST",
        _url(settings),
        params={"default_format": output} | {f"param_{name}": value for name, value in _texts(parameters).items()},
        data=query.encode(),
        headers={
            "X-ClickHouse-User": settings.sql_user.encode(),
            "X-ClickHouse-Key": secret(settings, "sql_password").now().encode(),
        }
        | ({} if (services := seen()) is None else {LIMIT: json.dumps(services)}),
        timeout=_seconds_left() or ASK_SECONDS,
    )
    if answer.status_code != requests.codes.ok:
        raise ValueError(answer.text.strip())
    return answer.content


def _ask_server(settings: Settings, query: str, output: str, parameters: Parameters) -> bytes:
    services = seen()
    rows = "" if services is None else filters([services], settings.clickhouse_database)
    limit = {"additional_table_filters": rows} if rows else {}
    with reading(settings, _seconds_left()) as client:
        writes = client.server_settings["readonly"].value == "0"  # who only reads may not even say so
        return bytes(
            client.raw_query(
                query,
                parameters=parameters,
                settings=limit | ({"readonly": 2} if writes else {}),  # 1 refuses what the client itself sends
                transport_settings={"X-ClickHouse-Format": output},
            )
        )


def _ask_here(settings: Settings, query: str, output: str, parameters: Parameters) -> bytes:
    from streams.sql.reader import Reader

    with connect(settings):  # says who holds the folder, and makes the database of a new store
        reader = Reader(settings)
        try:
            limits = () if (services := seen()) is None else (services,)
            return reader.run(Asked(query, output, parameters=_texts(parameters), limits=limits)).body
        finally:
            reader.close()


def _texts(parameters: Parameters) -> dict[str, str]:
    """Return parameters as ClickHouse's HTTP interface takes them."""
    return {name: _text(value) for name, value in parameters.items()}


def _text(value: str | int | list[str]) -> str:
    r"""Return a value in ClickHouse's escaped text.

    >>> print(_text(["it's", "b"]), _text("a\tb"), _text(3))
    ['it\'s','b'] a\tb 3
    """
    if isinstance(value, list):
        return "[" + ",".join("'" + escaped(item).replace("'", "\\'") + "'" for item in value) + "]"
    return escaped(value) if isinstance(value, str) else str(value)


def ask_rows(settings: Settings, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
    """Return the answer of a query as one dict a row."""
    return _rows(ask(settings, query, "JSONEachRow", parameters))


def _rows(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in body.decode().splitlines()]


def endpoint_answers(settings: Settings) -> bool:
    """Tell whether a history worker serves the store on the port of the settings.

    Raises
    ------
    StoreUnavailableError
        Where somebody does whose certificate is not trusted.
    """
    try:
        return asking.ask(settings, "GET", _url(settings) + "ping", timeout=PING_SECONDS).text == "Ok.\n"
    except asking.NotTrustedError as error:
        raise StoreUnavailableError(str(error)) from None
    except requests.RequestException:
        return False


def _url(settings: Settings) -> str:
    return f"{asking.address(settings, settings.sql_port)}/"
