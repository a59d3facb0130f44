"""The data dictionary: what each view, table and column means, as the store itself says it.

``python -m streams.store.schema.dictionary`` writes ``docs/data-dictionary.md`` anew.
"""

import tempfile
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from schemas.sql import query
from streams.settings import load
from streams.store.client import connect, rows
from streams.store.schema.comments import meanings
from streams.store.schema.migrate import migrate

FILE: Final = Path("docs") / "data-dictionary.md"
_BEGIN: Final = """# Data dictionary

Made by `python -m streams.store.schema.dictionary` from the comments in the store, made of
`schemas/ddl/comments`; in SQL they are in `system.tables` and `system.columns`. Times are UTC. What is not known is
NULL, never 0. Begin with `events`, `incidents`, `kpis_last_7_days` and `kpis_hourly`.
"""


def dictionary(client: Client) -> str:
    """Return the data dictionary of a store as Markdown: views, tables, and what the views are made of."""
    about = dict(rows(client, query("streams.store", "described")))
    columns: dict[str, list[str]] = {}
    for name, column, kind, text in rows(client, query("streams.store", "described_columns")):
        columns.setdefault(name, []).append(f"| `{column}` | `{kind}` | {text} |")
    known = meanings()
    parts = [_BEGIN]
    for title, section in (("Views", "views"), ("Tables", "tables")):
        parts.append(f"## {title}\n")
        parts += [_relation(name, about[name], columns.get(name, [])) for name in known[section]]
    parts.append("## Helpers\n\nWhat the views are made of; they may change.\n\n| view | holds |\n| --- | --- |")
    parts.append("\n".join(f"| `{name}` | {about[name]} |" for name in known["helpers"]))
    return "\n".join(parts) + "\n"


def _relation(name: str, text: str, columns: list[str]) -> str:
    if not columns:
        return f"### {name}\n\n{text}. Columns as of `kpis_hourly`.\n"
    return f"### {name}\n\n{text}.\n\n| column | type | meaning |\n| --- | --- | --- |\n" + "\n".join(columns) + "\n"


def main() -> None:
    """Write the file, from a new store."""
    with tempfile.TemporaryDirectory() as folder, connect(load(clickhouse=f"chdb://{folder}")) as client:
        migrate(client)
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(dictionary(client), encoding="utf-8")


if __name__ == "__main__":
    main()
