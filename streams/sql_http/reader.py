"""Runs one question on a handle of the embedded engine that lives for this question alone.

A handle costs a millisecond. It is not shared because a setting of one question would hold for the next, and because
chDB 26.9 gives the rows of a query that was stopped half way to the next query on the same handle.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from streams.settings import Settings
from streams.sql_http.errors import CANNOT_PARSE, UNKNOWN_SETTING, from_engine, refused
from streams.sql_http.guard import check, format_of
from streams.sql_http.native import hello, is_hello
from streams.sql_http.request import Asked

FREE: Final = frozenset(
    {
        "date_time_output_format",
        "extremes",
        "final",
        "join_use_nulls",
        "limit",
        "max_block_size",
        "max_threads",
        "offset",
        "result_overflow_mode",
        "session_timezone",
        "timeout_overflow_mode",
    }
)
"""Settings that a reader may choose freely."""

FREE_PREFIXES: Final = tuple(
    f"output_format_{name}_" for name in ("arrow", "csv", "json", "native", "parquet", "pretty", "tsv")
)

WRITING: Final = ("async_insert", "input_format_", "insert_", "wait_for_async_insert")
"""Beginnings of the names of settings that mean nothing to a reader; JDBC drivers send them with every question."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER: Final = re.compile(r"\d{1,18}(\.\d{0,9})?")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one question may take; a reader may ask for less, never for more."""

    rows: int = 1_000_000
    result_bytes: int = 2**30
    memory_bytes: int = 2**31
    seconds: int = 30

    def settings(self) -> dict[str, int]:
        """Return them as settings of the engine."""
        return {
            "max_execution_time": self.seconds,
            "max_memory_usage": self.memory_bytes,
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

        path = Path(settings.clickhouse.removeprefix("chdb://")).absolute()
        self._path: Final = os.path.realpath(path)  # chDB compares paths letter by letter
        self._database: Final = settings.clickhouse_database
        self._limits: Final = (limits or Limits()).settings()
        self._connect: Final = chdb.connect
        self._engine: Final = chdb.connect(self._path)  # keeps the engine open between questions
        names = self._engine.query("SELECT lower(name) FROM system.table_functions", "TSVRaw").bytes().decode()
        self._table_functions: Final = frozenset(names.split("\n"))
        self.version: Final = str(self._engine.query("SELECT version()", "TSVRaw").bytes().decode().strip())

    def close(self) -> None:
        """Let the engine go."""
        self._engine.close()

    def run(self, asked: Asked, ticket: str = "") -> Answer:
        """Return the answer to a question; `ticket` is what `stop` knows it by.

        Raises
        ------
        SqlError
            Where it may not run or fails, with ClickHouse's text and code.
        """
        if is_hello(asked):
            return Answer(hello(self.version), "Native", {})
        handle = self._connect(self._path)
        try:
            self._prepare(handle, asked, ticket)
            named = self._check(handle, asked)
            result = handle.query(asked.query, named or asked.output, params=asked.parameters)
            return Answer(bytes(result.bytes() or b""), named or asked.output, _summary(result))
        except RuntimeError as error:
            raise from_engine(error) from None
        finally:
            handle.close()

    def stop(self, ticket: str) -> None:
        """End the question of a ticket, where it still runs."""
        handle = self._connect(self._path)
        handle.query("KILL QUERY WHERE Settings['log_comment'] = {ticket:String} ASYNC", params={"ticket": ticket})
        handle.close()

    def _prepare(self, handle: Any, asked: Asked, ticket: str) -> None:
        """Set database, limits and settings; what is set after ``readonly`` the engine itself refuses or ignores."""
        database = self._database if asked.database in {"", "default"} else asked.database
        handle.query("USE `" + database.replace("\\", "\\\\").replace("`", "\\`") + "`")
        chosen = {
            name: value for name, value in asked.settings.items() if name in FREE or name.startswith(FREE_PREFIXES)
        }
        limits = {name: _least(name, asked.settings.get(name), most) for name, most in self._limits.items()}
        others = {name: value for name, value in asked.settings.items() if name not in {*chosen, *limits}}
        refusable = {name: value for name, value in others.items() if not name.startswith(WRITING)}
        before = {"session_timezone": "UTC", "result_overflow_mode": "throw", "log_comment": ticket} | chosen | limits
        before["readonly"] = "1"
        for name, value in [*before.items(), *refusable.items()]:
            if not _NAME.fullmatch(name):
                raise refused(UNKNOWN_SETTING, "UNKNOWN_SETTING", f"Unknown setting {name!r}")
            handle.query(f"SET {name} = {_quoted(value)}")

    def _check(self, handle: Any, asked: Asked) -> str | None:
        """Refuse what is not one statement that reads; return the format it names."""
        text = asked.query.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")  # as parameters are written
        formatted = handle.query("SELECT formatQuery({text:String})", "TSVRaw", params={"text": text}).bytes().decode()
        tree = handle.query(f"EXPLAIN AST {asked.query}", "TSV", params=asked.parameters).bytes().decode()
        check(tree, self._table_functions)
        return format_of(formatted)


def _least(name: str, wanted: str | None, most: int) -> str:
    """Return the smaller of what is wanted and what is allowed; 0 means no limit, and so the one allowed."""
    if wanted is None:
        return str(most)
    if not _NUMBER.fullmatch(wanted):
        text = f"Cannot parse {wanted!r} as the value of setting {name}"
        raise refused(CANNOT_PARSE, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", text)
    return wanted if 0 < float(wanted) <= most else str(most)


def _quoted(value: str) -> str:
    """Return the literal of a setting's value; ``SET`` takes no parameters."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


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
