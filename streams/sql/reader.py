"""Runs one question on a handle of the embedded engine that lives for this question alone.

A handle costs a millisecond. It is not shared because a setting of one question would hold for the next, and because
chDB 26.9 gives the rows of a query that was stopped half way to the next query on the same handle.
"""

import json
import os
import re
from dataclasses import dataclass
from typing import Any, Final

from schemas.sql import literal
from streams.access.rows import filters
from streams.settings import Settings
from streams.sql.allowed import Names
from streams.sql.engine import bounded, folder
from streams.sql.errors import (
    ACCESS_DENIED,
    BAD_ARGUMENTS,
    CANNOT_PARSE,
    SYNTAX_ERROR,
    UNKNOWN_DATABASE,
    UNKNOWN_SETTING,
    from_engine,
    refused,
)
from streams.sql.guard import LISTING, Check, about_table, output_format
from streams.sql.native import hello, is_hello
from streams.sql.request import Asked, escaped

FREE: Final = frozenset(
    {
        "date_time_output_format",
        "extremes",
        "final",
        "join_use_nulls",
        "limit",
        "max_bytes_to_read",
        "max_columns_to_read",
        "max_rows_to_group_by",
        "max_rows_to_read",
        "max_rows_to_sort",
        "offset",
        "result_overflow_mode",
        "session_timezone",
        "timeout_overflow_mode",
    }
)
"""Settings that a reader may choose freely: how an answer looks, and limits that we do not set, which only tighten."""

COUNTING: Final = frozenset({"max_bytes_to_read", "max_rows_to_read"})
"""Those of them that tell how many rows there are, whosever they may be: not for readers of some services alone."""

FREE_PREFIXES: Final = tuple(
    f"output_format_{name}_" for name in ("arrow", "csv", "json", "native", "parquet", "pretty", "tsv")
)

WRITING: Final = ("async_insert", "input_format_", "insert_", "wait_for_async_insert")
"""Beginnings of the names of settings that mean nothing to a reader; JDBC drivers send them with every question."""

FORBIDDEN: Final = {
    "allow_ddl": "0",
    "allow_get_client_http_header": "0",
    "allow_introspection_functions": "0",
    "function_range_max_elements_in_block": "10000000",
    "max_http_get_redirects": "0",
    "readonly": "1",
}
"""What the engine itself forbids a question; `range` is bounded because no call of a function can be stopped."""

THREADS: Final = max(1, (os.cpu_count() or 2) // 2)
NICE: Final = 3
"""How far questions stand behind the writer, which gets twice their share of a core; the engine does it where its
process may (CAP_SYS_NICE). Ten is a tenth of a share: beside other busy work, KPIs took longer than their 30 s."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f]")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"\d{1,18}(\.\d{0,9})?")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one question may take; a reader may ask for less, never for more."""

    rows: int = 1_000_000
    result_bytes: int = 2**28
    memory_bytes: int = 2**30
    quick_memory_bytes: int = 2**27
    """What it may take while it has not shown yet that it is a long one."""
    seconds: int = 30

    def settings(self, memory_bytes: int) -> dict[str, int]:
        """Return them as settings of the engine."""
        return {
            "max_block_size": 65_409,
            "max_execution_time": self.seconds,
            "max_memory_usage": min(memory_bytes, self.memory_bytes),
            "max_threads": THREADS,
            "max_result_bytes": self.result_bytes,
            "max_result_rows": self.rows,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: its bytes, the format they have, and what it took to make them."""

    body: bytes
    output: str
    summary: dict[str, str]


class Reader:
    """Answers questions about an embedded store, from any thread.

    Parameters
    ----------
    settings
        Names the folder of the store and the database that is meant when a question names none.
    limits
        The most that one question may take.
    """

    def __init__(self, settings: Settings, limits: Limits | None = None) -> None:
        import chdb  # comes with the extra `local`; a worker against a server does without

        path = folder(settings)
        self._path: Final = str(path)
        self._database: Final = settings.clickhouse_database
        self._limits: Final = limits or Limits()
        self._connect: Final = chdb.connect
        self._engine: Final = chdb.connect(bounded(path))  # keeps the engine open between questions
        self._names: Final = Names.of(self._engine)
        self.version: Final = str(self._engine.query("SELECT version()", "TSVRaw").bytes().decode().strip())

    def close(self) -> None:
        """Let the engine go."""
        self._engine.close()

    def run(self, asked: Asked, ticket: str = "", memory_bytes: int = 2**63) -> Answer:
        """Return the answer to a question.

        Parameters
        ----------
        asked
            The question.
        ticket
            What `stop` knows it by.
        memory_bytes
            The most memory that it may take now, where that is less than the limit of all.

        Raises
        ------
        SqlError
            Where it may not run or fails, with ClickHouse's text and code.
        """
        if is_hello(asked):
            return Answer(hello(self.version), "Native", {})
        handle = self._connect(self._path)
        try:
            self._prepare(handle, asked, ticket, memory_bytes)
            named = self._check(handle, asked) or output_format(asked.output, self._names)
            if asked.limits and named.endswith("WithProgress"):
                raise refused(ACCESS_DENIED, "ACCESS_DENIED", f"{named} counts rows that are not yours: take another")
            result = handle.query(asked.query, named, params=asked.parameters)
            summary = {} if asked.limits else _summary(result)  # it counts what was read, others' rows too
            return Answer(bytes(result.bytes() or b""), named, summary)
        except RuntimeError as error:
            raise from_engine(error) from None
        finally:
            handle.close()

    def stop(self, ticket: str) -> None:
        """End the question of a ticket, where it still runs."""
        handle = self._connect(self._path)
        try:
            handle.query("KILL QUERY WHERE Settings['log_comment'] = {ticket:String} ASYNC", params={"ticket": ticket})
        finally:
            handle.close()

    def _prepare(self, handle: Any, asked: Asked, ticket: str, memory_bytes: int) -> None:
        """Set database, limits and settings; what is set after ``readonly`` the engine itself refuses or ignores."""
        if asked.database not in {"", "default", self._database}:
            text = f"Database {asked.database[:100]!r} does not exist or is not allowed here: there is {self._database}"
            raise refused(UNKNOWN_DATABASE, "UNKNOWN_DATABASE", text)
        handle.query("USE `" + self._database.replace("\\", "\\\\").replace("`", "\\`") + "`")
        free = FREE - COUNTING if asked.limits else FREE
        chosen = {
            name: value for name, value in asked.settings.items() if name in free or name.startswith(FREE_PREFIXES)
        }
        most = self._limits.settings(memory_bytes)
        limits = {name: _least(name, asked.settings.get(name), value) for name, value in most.items()}
        others = {name: value for name, value in asked.settings.items() if name not in {*chosen, *limits}}
        refusable = {name: value for name, value in others.items() if not name.startswith(WRITING)}
        before = {"session_timezone": "UTC", "result_overflow_mode": "throw", "log_comment": ticket}
        before |= chosen | limits | {"os_thread_priority": str(NICE)} | FORBIDDEN | self._rows(handle, asked)
        _set(handle, before)
        for name, value in refusable.items():
            _set(handle, {name: value})

    def _rows(self, handle: Any, asked: Asked) -> dict[str, str]:
        """Return what limits a question to the rows of some services, over all tables that there are now."""
        if not asked.limits:
            return {}
        tables = "SELECT name FROM system.tables WHERE database = {database:String} AND NOT endsWith(engine, 'View')"
        found = handle.query(tables, "TSVRaw", params={"database": self._database}).bytes()
        rows = filters(asked.limits, self._database, bytes(found or b"").decode().split())
        return {"additional_table_filters": rows, "output_format_write_statistics": "0"}

    def _check(self, handle: Any, asked: Asked) -> str | None:
        """Refuse what is not one statement that reads; return the format it names."""
        if _CONTROL.search(asked.query):
            raise refused(SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error: a query has no control characters; write \\0")
        try:
            tree = _tree(handle, asked.query)
        except RuntimeError as error:
            if from_engine(error).code != BAD_ARGUMENTS:
                raise
            formatted = _formatted(handle, asked.query)
            if LISTING.fullmatch(formatted.strip()):
                return None
            if (reading := about_table(formatted)) is None:
                text = f"{formatted[:40].strip()!r}: only SELECT, SHOW, DESCRIBE, EXISTS and EXPLAIN may run"
                raise refused(ACCESS_DENIED, "ACCESS_DENIED", text) from None
            tree = _tree(handle, reading)
        return Check(self._names, self._database, asked.parameters, limited=bool(asked.limits)).run(tree)


def _set(handle: Any, settings: dict[str, str]) -> None:
    for name in settings:
        if not _NAME.fullmatch(name):
            raise refused(UNKNOWN_SETTING, "UNKNOWN_SETTING", f"Unknown setting {name[:100]!r}")
    handle.query("SET " + ", ".join(f"{name} = {literal(value)}" for name, value in settings.items()))


def _tree(handle: Any, query: str) -> str:
    """Return the syntax tree of a query, after a look whether it is the whole of it: the engine can write it back.

    Parentheses do not count: the tree keeps none that are not needed.
    """
    asking = (
        "SELECT parseQueryToJSON({text:String}) AS tree, replaceRegexpAll(formatQueryFromJSON(tree), '[()]', '') = "
        "replaceRegexpAll(formatQuerySingleLine({text:String}), '[()]', '')"
    )
    answer = handle.query(asking, "JSONCompactEachRow", params={"text": escaped(query)}).bytes()
    tree, whole = json.loads(answer.decode("utf-8", "replace"))
    if not whole:
        raise refused(ACCESS_DENIED, "ACCESS_DENIED", "this query cannot be looked over whole; write it more simply")
    return str(tree)


def _formatted(handle: Any, query: str) -> str:
    asking = "SELECT formatQuery({text:String})"
    return str(handle.query(asking, "TSVRaw", params={"text": escaped(query)}).bytes().decode("utf-8", "replace"))


def _least(name: str, wanted: str | None, most: int) -> str:
    """Return the smaller of what is wanted and what is allowed; 0 means no limit, and so the one allowed."""
    if wanted is None:
        return str(most)
    if not _NUMBER.fullmatch(wanted):
        text = f"Cannot parse {wanted!r} as the value of setting {name}"
        raise refused(CANNOT_PARSE, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", text)
    return wanted if 0 < float(wanted) <= most else str(most)


def _summary(result: Any) -> dict[str, str]:
    """Return the fields of ``X-ClickHouse-Summary``."""
    return {
        "read_rows": str(result.storage_rows_read()),
        "read_bytes": str(result.storage_bytes_read()),
        "written_rows": "0",
        "written_bytes": "0",
        "total_rows_to_read": str(result.storage_rows_read()),
        "result_rows": str(result.rows_read()),
        "result_bytes": str(result.bytes_read()),
        "elapsed_ns": str(int(result.elapsed() * 1e9)),
    }
