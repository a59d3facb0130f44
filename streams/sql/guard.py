"""What a reader may ask: decided on the engine's own syntax tree, never on the text.

The engine's ``readonly=1`` refuses writes and most ways out of the database. Tried one by one against chDB 26.9, these
pass it all the same: several statements in one text, ``INTO OUTFILE``, the functions `file` and ``ai*`` (also where
only their name is given: ``APPLY(file)``, ``arrayMap(file, ...)``), ``DESCRIBE`` of any table function (it opens files
and addresses), ``KILL QUERY`` (also of the writer's), ``USE``, ``CHECK TABLE``, settings of a subquery, and the
database `default`, which answers whether a file exists. Its grants cannot be narrowed: the embedded engine has one user
and lets nobody make another. So kinds of statements, kinds of nodes, functions, tables and formats are allowed by
name (`allowed`). Every text of the tree that is no literal is held against the names of the engine's functions: one
that the engine knows and the list does not is refused, wherever it stands.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from streams.sql.allowed import PATHS, TABLE_FUNCTIONS, WITH_PATHS, Names, table_allowed
from streams.sql.errors import (
    ACCESS_DENIED,
    READONLY,
    TOO_DEEP,
    UNKNOWN_FORMAT,
    UNKNOWN_FUNCTION,
    SqlError,
    refused,
)

STATEMENTS: Final = frozenset({"SelectWithUnionQuery", "ExplainQuery", "ShowTablesQuery", "ShowColumnsQuery"})
"""Roots of the trees that may run: SELECT (also WITH), EXPLAIN, SHOW TABLES, DATABASES and COLUMNS."""

NODES: Final = STATEMENTS | {
    "ArrayJoin",
    "Asterisk",
    "ColumnsApplyTransformer",
    "ColumnsExceptTransformer",
    "ColumnsListMatcher",
    "ColumnsRegexpMatcher",
    "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformerReplacement",
    "ColumnsTransformerList",
    "ExpressionList",
    "Function",
    "Identifier",
    "InterpolateElement",
    "Literal",
    "OrderByElement",
    "QualifiedAsterisk",
    "QualifiedColumnsListMatcher",
    "QualifiedColumnsRegexpMatcher",
    "QueryParameter",
    "SampleRatio",
    "SelectIntersectExceptQuery",
    "SelectQuery",
    "SetQuery",
    "Subquery",
    "TableExpression",
    "TableIdentifier",
    "TableJoin",
    "TablesInSelectQuery",
    "TablesInSelectQueryElement",
    "WindowDefinition",
    "WindowListElement",
    "WithElement",
}
"""Kinds of nodes of a tree; one that is new in the engine is refused."""

_KINDS: Final = ("AST", "SYNTAX", "QUERY TREE", "PIPELINE", "ESTIMATE")
EXPLAINED: Final = frozenset({"EXPLAIN", *(f"EXPLAIN {each}" for each in _KINDS)})

ABOUT_TABLES: Final = re.compile(
    r"(?:DESCRIBE TABLE|EXISTS TABLE|EXISTS VIEW|SHOW CREATE TABLE|SHOW CREATE VIEW)\s+(.*)", re.DOTALL
)
"""Statements that name one table, which the engine writes no tree of, in normal form: what follows may be read from."""

LISTING: Final = re.compile(r"SHOW FUNCTIONS(?: I?LIKE '[^'\\]*')?")

_BY_TEXT: Final = frozenset({"arrayreduce", "arrayreduceinranges"})
"""Functions that take the name of an aggregate function as a text."""

_EMPTINESS: Final = frozenset({"empty", "notempty"})
"""What may be asked of paths: the JDBC driver tells kinds of tables by whether they have some."""

_AMONG: Final = frozenset(
    f"{everywhere}{negated}{null}in{ignoring}"
    for everywhere in ("", "global")
    for negated in ("", "not")
    for null in ("", "null")
    for ignoring in ("", "ignoreset")
)
"""All forms of IN."""

_SHOWN: Final = frozenset({"case_insensitive_like", "databases", "full", "not_like", "where_expression"})
"""What SHOW TABLES may say beside texts and nodes; caches, clusters and merges are others of its forms."""

_WORDS: Final = frozenset({"alias", "kind", "like", "pattern", "type"})
"""Keys of texts that name nothing, or only what the query itself makes."""

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Check:
    """Looks the tree of one query over.

    Parameters
    ----------
    names
        What the engine knows.
    database
        The database of the house, the only one whose tables may all be read.
    parameters
        Values of the query's parameters, of which some may be identifiers.
    limited
        Rows of some services alone are seen: what shows others, or how many there are, is refused.
    """

    def __init__(self, names: Names, database: str, parameters: dict[str, str], *, limited: bool = False) -> None:
        self._names: Final = names
        self._limited: Final = limited
        self._database: Final = database
        self._parameters: Final = parameters
        self._bound: Final[set[str]] = set()
        self._named: Final[set[str]] = set()
        self._format: str | None = None
        self._paths = False
        self._stars = False

    def run(self, tree: str) -> str | None:
        """Refuse a statement that is not reading; return the format that it names.

        Parameters
        ----------
        tree
            The answer of ``parseQueryToJSON``.

        Raises
        ------
        SqlError
            With code 497 and what is not allowed, or with the code that ClickHouse has for it.
        """
        try:
            root = json.loads(tree)
        except RecursionError:
            raise refused(TOO_DEEP, "TOO_DEEP_RECURSION", "the query is nested too deeply") from None
        if root["type"] not in STATEMENTS:
            raise _denied(f"only SELECT, SHOW, DESCRIBE, EXISTS and EXPLAIN may run, not {root['type']}")
        nodes = list(self._nodes(root))
        self._bound.update(str(node["alias"]) for node in nodes if "alias" in node)
        for node in nodes:
            self._look(node)
        if self._paths and (self._stars or self._named & PATHS):
            raise _denied("columns with paths of the machine are not allowed here, nor * of a table that has some")
        return self._format

    def _nodes(self, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield all nodes, table functions marked; formats and what only EXPLAIN is told are looked at here."""
        todo: list[Any] = [root]
        while todo:
            each = todo.pop()
            if isinstance(each, list):
                todo += each
            elif isinstance(each, dict) and "type" in each:
                if "format_ast" in each:
                    self._format = output_format(str(each.pop("format_ast").get("name")), self._names)
                if each["type"] == "ExplainQuery":
                    each.pop("settings", None)
                if each["type"] != "Literal":
                    todo += [
                        value | {"table": True} if key == "table_function" else value for key, value in each.items()
                    ]
                yield each
            elif isinstance(each, dict) and set(each) - {"name", "value"}:
                raise _denied("a part of the query that is not known here is not allowed")

    def _look(self, node: dict[str, Any]) -> None:
        kind = node["type"]
        if kind not in NODES:
            raise _denied(f"{kind} is not allowed here")
        if "out_file" in node or "compression" in node:
            raise _denied("INTO OUTFILE is not allowed here")
        self._stars = self._stars or "Asterisk" in kind or "Matcher" in kind
        if self._limited and "prewhere" in node:
            raise _denied("PREWHERE looks at others' rows too: write WHERE")
        if kind == "Function":
            self._function(node)
        elif kind == "TableIdentifier":
            self._table(self._parts(node))
        elif kind == "SetQuery":
            names = ", ".join(str(each.get("name")) for each in node.get("changes", [])) or "a setting"
            raise refused(READONLY, "READONLY", f"Cannot modify {names} inside a query: send it with the request")
        elif kind in STATEMENTS:
            self._statement(node)
        self._texts(node)

    def _statement(self, node: dict[str, Any]) -> None:
        kind = node["type"]
        if kind == "ExplainQuery" and (self._limited or node["kind"] not in EXPLAINED):
            raise _denied(f"{node['kind']} is not allowed here")
        if kind == "ShowTablesQuery":
            for name in sorted(name for name, value in node.items() if value is True and name not in _SHOWN):
                raise _denied(f"SHOW {name.upper()} is not allowed here")
        if kind == "ShowColumnsQuery":
            self._table([node.get("database") or self._database, str(node.get("table"))])

    def _texts(self, node: dict[str, Any]) -> None:
        """Hold the texts of a node against the names of functions."""
        kind = node["type"]
        if kind == "QueryParameter" and str(node["param_type"]).lower() == "identifier":
            texts = [self._identifier(node)]
        elif kind in {"Literal", "TableIdentifier", "Function", "QueryParameter"}:
            return
        else:
            texts = [value for key, value in node.items() if isinstance(value, str) and key not in _WORDS]
        if not node.get("emptiness"):
            self._named.update(part.lower() for part in [*texts, *node.get("name_parts", [])])
        for text in texts:
            if self._names.knows(text) and not self._names.allows(text):
                raise _denied(f"{text} is not allowed here: so is a function called that readers may not call")

    def _function(self, node: dict[str, Any]) -> None:
        name, arguments = str(node["name"]), (node.get("arguments") or {}).get("children", [])
        if node.get("table"):
            self._table_function(name)
        elif not self._names.allows(name):
            if self._names.knows(name):
                raise _denied(f"function {name} is not allowed here")
            if name not in self._bound:
                raise refused(UNKNOWN_FUNCTION, "UNKNOWN_FUNCTION", f"Function with name {name} does not exist")
        if name.lower() in _EMPTINESS and arguments and "alias" not in arguments[0]:
            arguments[0]["emptiness"] = arguments[0]["type"] == "Identifier"
        if name.lower() in _BY_TEXT and not self._names.is_aggregate(_text_of(arguments)):
            raise _denied(f"{name} takes the plain name of an aggregate function here")
        if name.lower() in _AMONG and len(arguments) > 1:
            self._among(arguments[1])

    def _table_function(self, name: str) -> None:
        database, _, view = name.rpartition(".")
        if name.lower() not in TABLE_FUNCTIONS and (self._names.knows(view) or database not in {"", self._database}):
            raise _denied(f"table function {name} is not allowed here")

    def _among(self, right: dict[str, Any]) -> None:
        """Look at what stands right of IN: a name there may be a table's, and a function a table function."""
        if right["type"] == "Identifier":
            self._table(self._parts(right))
            if self._paths:
                raise _denied("IN of a table with paths of the machine is not allowed here")
        elif right["type"] == "Function" and right["name"].lower() in self._names.table_functions:
            self._table_function(str(right["name"]))

    def _table(self, parts: list[str]) -> None:
        database, table = ("", parts[0]) if len(parts) == 1 else (parts[0], ".".join(parts[1:]))
        if not table_allowed(database or self._database, table, self._database, limited=self._limited):
            name = ".".join(parts)
            raise _denied(f"table {name} is not allowed here: read those of {self._database}, or name another first")
        self._paths = self._paths or (database not in {"", self._database} and table.lower() in WITH_PATHS)

    def _parts(self, node: dict[str, Any]) -> list[str]:
        """Return the parts of a name, with the values of parameters in their places."""
        given = [self._identifier(each) for each in node.get("children", []) if each["type"] == "QueryParameter"]
        return [part or (given.pop(0) if given else "") for part in node.get("name_parts") or [node.get("name", "")]]

    def _identifier(self, parameter: dict[str, Any]) -> str:
        """Return the value of a parameter that is an identifier; none that its text could hide."""
        value = self._parameters.get(str(parameter["name"]), "")
        if value and not _PLAIN.fullmatch(value):
            raise _denied(f"the identifier {parameter['name']} may have letters, digits and underscores only")
        return value


def about_table(formatted: str) -> str | None:
    r"""Return a query that reads the one table a statement is about; None where it is about none.

    >>> about_table("DESCRIBE TABLE a.b\nFORMAT CSV")
    'SELECT 1 FROM a.b\nFORMAT CSV'
    """
    found = ABOUT_TABLES.fullmatch(formatted.strip())
    return f"SELECT 1 FROM {found.group(1)}" if found else None


def output_format(name: str, names: Names) -> str:
    """Return a format's name.

    Raises
    ------
    SqlError
        With code 73 where the engine writes none of that name.
    """
    if name not in names.formats:
        raise refused(UNKNOWN_FORMAT, "UNKNOWN_FORMAT", f"Unknown format {name[:100]!r}")
    return name


def _text_of(arguments: list[dict[str, Any]]) -> str:
    """Return the first argument where it is a text, without the parameters in it."""
    value = arguments[0].get("value", {}) if arguments else {}
    return str(value.get("value", "")).split("(")[0].strip() if isinstance(value, dict) else ""


def _denied(text: str) -> SqlError:
    return refused(ACCESS_DENIED, "ACCESS_DENIED", text)
