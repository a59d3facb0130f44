"""A question to the store from another process."""

import json
from collections.abc import Mapping
from typing import Any, Final

import requests

from streams.settings import Settings
from streams.sql_guard import Reader
from streams.storage import connect

PING_SECONDS: Final = 1.0
ASK_SECONDS: Final = 60.0


def ask(settings: Settings, query: str, output: str, parameters: Mapping[str, str] | None = None) -> bytes:
    """Return the answer of a query in one of ClickHouse's formats.

    `parameters` are the values of ``{name:Type}`` in the query. An embedded store is asked through the process that
    holds it; where none runs, it is opened here.

    Raises
    ------
    ValueError
        With ClickHouse's own message, where the query fails.
    """
    given = dict(parameters or {})
    if settings.clickhouse.startswith("chdb://") and endpoint_answers(settings):
        answer = requests.post(
            _url(settings),
            params={"default_format": output, **{f"param_{name}": value for name, value in given.items()}},
            data=query.encode(),
            timeout=ASK_SECONDS,
        )
        if answer.status_code != requests.codes.ok:
            raise ValueError(answer.text.strip())
        return answer.content
    return Reader(connect(settings)).run(query, output, given)[0]


def ask_rows(settings: Settings, query: str, parameters: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Return the answer of a query as one dict a row."""
    return [json.loads(line) for line in ask(settings, query, "JSONEachRow", parameters).decode().splitlines()]


def endpoint_answers(settings: Settings) -> bool:
    """Tell whether a history worker serves the store on the port of the settings."""
    try:
        return requests.get(_url(settings) + "ping", timeout=PING_SECONDS).text == "Ok.\n"
    except requests.RequestException:
        return False


def _url(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.sql_port}/"
