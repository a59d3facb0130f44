"""One request of ClickHouse's HTTP interface, taken apart: query, parameters, settings, format, who asks."""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from streams.sql.errors import CANNOT_PARSE, SqlError, refused

TRANSPORT: Final = frozenset(
    {
        "add_http_cors_header",
        "buffer_size",
        "cancel_http_readonly_queries_on_client_close",
        "client_protocol_version",
        "compress",
        "database",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_zlib_compression_level",
        "password",
        "query",
        "query_id",
        "quota_key",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
"""URL keys that speak of the connection and are no settings of a query; a session has no state here."""


_QUERY_ID: Final = re.compile(r"[ -~]{1,256}")
_VERSION: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: `output` holds unless the query names a format itself; `database` is empty for the usual one."""

    query: str
    output: str = "TabSeparated"
    database: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    query_id: str = ""
    framed: bool = False
    protocol: int = 0
    limits: tuple[tuple[str, ...], ...] = ()
    """Patterns of services: of its user, and of whom it is asked for. Rows are seen that fit each of them."""


LIMIT: Final = "X-Watchkeeper-Services"
"""Header field with the services that whom we ask for may see, as JSON: it only ever takes away."""


def escaped(text: str) -> str:
    r"""Return a text in ClickHouse's escaped form, in which the values of parameters travel.

    >>> print(escaped("a\tb"))
    a\tb
    """
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def parse_request(url: Mapping[str, str], headers: Mapping[str, str], body: str, form: Mapping[str, str]) -> Asked:
    """Return what is asked.

    Parameters
    ----------
    url
        Keys of the URL. What is neither of the connection nor a ``param_`` is a setting.
    headers
        Header fields by name; a mapping that ignores case.
    body
        Follows the URL's ``query``, as in ClickHouse, so that ``?query=SELECT+1&`` may end in the body.
    form
        Fields of a multipart body: ``query`` and ``param_`` keys.

    >>> parse_request({"query": "SELECT {a:Int8}", "param_a": "1", "max_threads": "2"}, {}, "", {}).settings
    {'max_threads': '2'}
    """
    parts = [text for text in (url.get("query", ""), form.get("query", ""), body) if text]
    keys = dict(url) | dict(form)
    query_id = url.get("query_id") or str(uuid.uuid4())
    if not _QUERY_ID.fullmatch(query_id):
        raise _unreadable("query_id", "at most 256 printable characters of ASCII")
    return Asked(
        query="\n".join(parts).strip().rstrip("; \n\t"),
        output=url.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated",
        database=url.get("database") or headers.get("X-ClickHouse-Database") or "",
        parameters={name[6:]: value for name, value in keys.items() if name.startswith("param_")},
        settings={name: value for name, value in url.items() if name not in TRANSPORT and name[:6] != "param_"},
        query_id=query_id,
        framed=is_framed(url),
        protocol=_version(url.get("client_protocol_version", "0")),
        limits=_limits(headers.get(LIMIT)),
    )


def _limits(said: str | None) -> tuple[tuple[str, ...], ...]:
    try:
        return () if said is None else (msgspec.json.decode(said, type=tuple[str, ...]),)
    except (msgspec.DecodeError, UnicodeError):
        raise _unreadable(LIMIT, "a list of patterns as JSON") from None


def _version(text: str) -> int:
    if not _VERSION.fullmatch(text):
        raise _unreadable("client_protocol_version", "a number of at most nine digits")
    return int(text)


def _unreadable(name: str, wanted: str) -> SqlError:
    return refused(CANNOT_PARSE, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", f"{name} must be {wanted}")


def is_framed(url: Mapping[str, str]) -> bool:
    """Tell whether the answer, or the error, shall come in ClickHouse's own compressed blocks."""
    return url.get("compress", "0") not in {"", "0", "false"}


def credentials(url: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """Return user and password, from the ClickHouse headers, HTTP Basic or the URL, in this order.

    >>> credentials({}, {"Authorization": "Basic Z3JhZmFuYTpzZWNyZXQ="})
    ('grafana', 'secret')
    """
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", "default"), headers.get("X-ClickHouse-Key", "")
    scheme, _, encoded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user or "default", password
    return url.get("user") or "default", url.get("password", "")
