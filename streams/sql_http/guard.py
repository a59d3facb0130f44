"""What a reader may ask: decided on the engine's own syntax tree, never on the text.

The engine's ``readonly=1`` refuses writes and most ways out of the database. Tried one by one against chDB 26.9, these
pass it all the same: several statements in one text, ``INTO OUTFILE``, the functions `file` and ``ai*``, ``DESCRIBE``
of any table function (it opens files and addresses), ``KILL QUERY`` (also of the writer's), ``USE``, ``CHECK TABLE``,
and the database `default`, which answers whether a file exists. So kinds of statements and table functions are
allowed by name, and the rest of the list is closed here. Several statements are refused by the reader, whose parser
takes one only.
"""

import re
from typing import Final

from streams.sql_http.errors import ACCESS_DENIED, refused

STATEMENTS: Final = frozenset(
    {
        "SelectWithUnionQuery",
        "Explain",
        "DescribeQuery",
        "ExistsTableQuery",
        "ShowTables",
        "ShowColumns",
        "ShowFunctions",
        "ShowIndexes",
        "ShowEngineQuery",
        "ShowCreateTableQuery",
        "ShowCreateViewQuery",
        "ShowCreateDatabaseQuery",
        "ShowProcesslistQuery",
    }
)
"""First words of the trees that may run: SELECT (also WITH), EXPLAIN, DESCRIBE, EXISTS and SHOW."""

TABLE_FUNCTIONS: Final = frozenset(
    {"numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "primes", "values", "view"}
)
"""Table functions that stay inside the query; `mergeTreeIndex` and its like show internals, all others lead out."""

_FUNCTION: Final = re.compile(r"^ *Function (\S+)", re.MULTILINE)
_OUTFILE: Final = re.compile(r"^ {1,2}Literal ", re.MULTILINE)
_DEFAULT: Final = re.compile(r"^ *(?:Table)?Identifier default(?:[. ]|$)", re.MULTILINE)
_FORMAT: Final = re.compile(r"\bFORMAT\s+(\w+)\s*$")


def check(tree: str, table_functions: frozenset[str]) -> None:
    r"""Refuse a statement that is not reading.

    Parameters
    ----------
    tree
        The answer of ``EXPLAIN AST``, one node a line, escaped so that no text can begin a line of its own.
    table_functions
        Names of all table functions of the engine, in lower case.

    Raises
    ------
    SqlError
        With code 497 and what is not allowed.

    >>> check("SelectWithUnionQuery (children 1)\n Function numbers (children 1)", frozenset({"numbers", "url"}))
    """
    kind = tree.split(maxsplit=1)[0] if tree.strip() else "nothing"
    if kind not in STATEMENTS:
        raise _denied(f"only SELECT, SHOW, DESCRIBE, EXISTS and EXPLAIN may run, not {kind}")
    for name in _FUNCTION.findall(tree):
        plain = name.strip("`\"'").lower()
        if plain == "file" or plain.startswith("ai") or (plain in table_functions and plain not in TABLE_FUNCTIONS):
            raise _denied(f"function {name} is not allowed here")
    if _OUTFILE.search(tree):
        raise _denied("INTO OUTFILE is not allowed here")
    if _DEFAULT.search(tree):
        raise _denied("database default is not allowed here: in this engine it stands for the files of the machine")


def format_of(formatted: str) -> str | None:
    r"""Return the format that a query names itself, from its normal form.

    >>> format_of("SELECT 1\nFORMAT CSV")
    'CSV'
    """
    found = _FORMAT.search(formatted)
    return found.group(1) if found else None


def _denied(text: str) -> Exception:
    return refused(ACCESS_DENIED, "ACCESS_DENIED", text)
