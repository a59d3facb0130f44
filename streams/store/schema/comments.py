"""What tables, views and columns mean, written into the store: ``schemas/ddl/comments``."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from schemas.sql import literal, query
from streams.store.client import rows

KINDS: Final = ("views", "tables", "helpers")
"""Sections of ``relations.toml``: what is for everybody, and what that is made of."""


@cache
def meanings() -> dict[str, Any]:
    """Return the relations by kind, what columns mean everywhere, and by relation where they mean something else."""
    folder = resources.files("schemas") / "ddl" / "comments"
    relations, columns = (
        tomllib.loads((folder / name).read_text(encoding="utf-8")) for name in ("relations.toml", "columns.toml")
    )
    return relations | {"everywhere": columns}


def meaning_of(relation: str, column: str) -> str:
    """Return what a column means, empty where nobody wrote it down."""
    known = meanings()
    return str(known["columns"].get(relation, {}).get(column) or known["everywhere"].get(column, ""))


def commands(client: Client) -> list[str]:
    """Return the statements that comment what the store has."""
    known = meanings()
    about = {name: text for kind in KINDS for name, text in known[kind].items()}
    return [
        f"ALTER TABLE {name} " + ", ".join(_parts(name, columns, about[name]))
        for name, columns in rows(client, query("streams.store", "relations"))
        if name in about
    ]


def _parts(name: str, columns: list[str], text: str) -> list[str]:
    named = [f"COMMENT COLUMN `{column}` {literal(meaning_of(name, column))}" for column in columns]
    return [*named, f"MODIFY COMMENT {literal(text)}"]
