"""A question to the store from another process."""

import json
from typing import Any, Final

import requests

from streams.settings import Settings
from streams.sql_http.reader import Reader
from streams.sql_http.request import Asked
from streams.storage import connect

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
    if not settings.clickhouse.startswith("chdb://"):
        return _ask_server(settings, query, output)
    if endpoint_answers(settings):
        answer = requests.post(
            _url(settings),
            params={"default_format": output},
            data=query.encode(),
            headers={
                "X-ClickHouse-User": settings.sql_user.encode(),
                "X-ClickHouse-Key": settings.sql_password.get_secret_value().encode(),
            },
            timeout=ASK_SECONDS,
        )
        if answer.status_code != requests.codes.ok:
            raise ValueError(answer.text.strip())
        return answer.content
    return _ask_here(settings, query, output)


def _ask_server(settings: Settings, query: str, output: str) -> bytes:
    with connect(settings) as client:
        return bytes(
            client.raw_query(query, settings={"readonly": 1}, transport_settings={"X-ClickHouse-Format": output})
        )


def _ask_here(settings: Settings, query: str, output: str) -> bytes:
    with connect(settings):  # says who holds the folder, and makes the database of a new store
        reader = Reader(settings)
        try:
            return reader.run(Asked(query, output)).body
        finally:
            reader.close()


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
