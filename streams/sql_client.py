"""A question to the store from another process."""

import json
from typing import Any, Final

import requests

from streams.settings import Settings
from streams.sql_guard import Reader
from streams.storage import StoreUnavailableError, connect

PING_SECONDS: Final = 1.0
ASK_SECONDS: Final = 60.0


def ask(settings: Settings, query: str, output: str) -> bytes:
    """Return the answer of a query in one of ClickHouse's formats.

    An embedded store is asked through the process that holds it; where none runs, it is opened here.

    Raises
    ------
    ValueError
        With ClickHouse's own message, where the query fails.
    """
    if settings.clickhouse.startswith("chdb://") and endpoint_answers(settings):
        return _ask_endpoint(settings, query, output, {})
    return _reader(settings).run(query, output, {})[0]


def ask_running(settings: Settings, query: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
    """Return the answer of a query with parameters, one dict a row, from a store that runs; none is opened here.

    Parameters
    ----------
    parameters
        Values of the placeholders, as ClickHouse writes them in text.

    Raises
    ------
    StoreUnavailableError
        Where nobody answers.
    ValueError
        As `ask`.
    """
    if settings.clickhouse.startswith("chdb://"):
        try:
            body = _ask_endpoint(settings, query, "JSONEachRow", parameters)
        except requests.RequestException as error:
            raise StoreUnavailableError(f"no history worker answers at {_url(settings)}") from error
    else:
        body = _reader(settings).run(query, "JSONEachRow", parameters)[0]
    return [json.loads(line) for line in body.decode().splitlines()]


def _reader(settings: Settings) -> Reader:
    return Reader(connect(settings), readonly=1 if settings.clickhouse.startswith("chdb://") else 2)


def _ask_endpoint(settings: Settings, query: str, output: str, parameters: dict[str, str]) -> bytes:
    given = {"default_format": output} | {f"param_{name}": value for name, value in parameters.items()}
    answer = requests.post(_url(settings), params=given, data=query.encode(), timeout=ASK_SECONDS)
    if answer.status_code != requests.codes.ok:
        raise ValueError(answer.text.strip())
    return answer.content


def ask_rows(settings: Settings, query: str) -> list[dict[str, Any]]:
    """Return the answer of a query as one dict a row."""
    return [json.loads(line) for line in ask(settings, query, "JSONEachRow").decode().splitlines()]


def endpoint_answers(settings: Settings) -> bool:
    """Tell whether a history worker serves the store on the port of the settings."""
    try:
        return requests.get(_url(settings) + "ping", timeout=PING_SECONDS).text == "Ok.\n"
    except requests.RequestException:
        return False


def _url(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.sql_port}/"
