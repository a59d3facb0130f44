"""What a reader may ask of the store: the engine's own read-only mode, and two holes in it closed by its own parser.

``readonly=1`` refuses every write, every change of a setting and almost every way out of the database. Three
things pass it in the embedded engine: several statements in one text, ``INTO OUTFILE``, and the functions `file`
and `Python`. They are found in the engine's own syntax tree, not in the text.
"""

import re
from typing import Final, Literal

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

FORBIDDEN_FUNCTIONS: Final = frozenset({"file", "python"})
_FUNCTION: Final = re.compile(rb"^\s*Function (\S+)", re.MULTILINE)
_OUTFILE: Final = re.compile(rb"^ Literal ", re.MULTILINE)
_FORMAT: Final = re.compile(r"\bFORMAT\s+(\w+)\s*$")
_CODE: Final = re.compile(r"Code: (\d+)")


class SqlError(ValueError):
    """A query that was refused or failed; `code` is ClickHouse's own."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code: Final = code


class Reader:
    """Runs queries read-only.

    Parameters
    ----------
    client
        A client for this reader alone; it is read-only from now on.
    max_rows, max_seconds, max_bytes
        Limits of one query: rows returned, time, memory.
    readonly
        ClickHouse's own; 2 for a server, whose client sends settings with every query: 1 would refuse them.
    """

    def __init__(
        self,
        client: Client,
        max_rows: int = 1_000_000,
        max_seconds: int = 30,
        max_bytes: int = 2**31,
        readonly: Literal[1, 2] = 1,
    ) -> None:
        self._client: Final = client
        limits = {
            "max_result_rows": max_rows,
            "result_overflow_mode": "'throw'",
            "max_execution_time": max_seconds,
            "max_memory_usage": max_bytes,
            "readonly": readonly,  # last: after 1 no setting of this client can be changed, these included
        }
        for name, value in limits.items():
            client.command(f"SET {name} = {value}")

    def run(self, query: str, output: str, parameters: dict[str, str]) -> tuple[bytes, str]:
        """Return the answer of a query and the format it has.

        Raises
        ------
        SqlError
            Where it may not run or fails, with ClickHouse's text and code.
        """
        try:
            formatted = self._check(query, parameters)
            named = _FORMAT.search(formatted)
            answer = self._client.raw_query(
                query.rstrip().rstrip(";"), fmt=None if named else output, parameters=parameters
            )
        except ClickHouseError as error:
            code = _CODE.search(str(error))
            raise SqlError(str(error), int(code.group(1)) if code else 0) from None
        return bytes(answer), named.group(1) if named else output

    def _check(self, query: str, parameters: dict[str, str]) -> str:
        text = query.rstrip().rstrip(";")
        formatted = self._client.query("SELECT formatQuery({text:String})", parameters={"text": text}).result_rows[0][0]
        tree = bytes(self._client.raw_query(f"EXPLAIN AST {text}", parameters=parameters))
        functions = {name.decode().lower().strip("`\"'") for name in _FUNCTION.findall(tree)}
        if found := functions & FORBIDDEN_FUNCTIONS:
            raise SqlError(
                f"Code: 497. DB::Exception: function {found.pop()} is not allowed here. (ACCESS_DENIED)", 497
            )
        if _OUTFILE.search(tree):
            raise SqlError("Code: 497. DB::Exception: INTO OUTFILE is not allowed here. (ACCESS_DENIED)", 497)
        return str(formatted)
