"""The store's schema as SQL: the files of ``schemas/ddl`` with their macros filled in; its README tells more."""

import re
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.categories import AXES, HARMS
from schemas.kpis import KPIS
from schemas.kpis.objectives import VIEW_VALUES
from schemas.metrics import FAMILY_AXES, RATES

TABLES: Final = "tables/"
"""Files that hold data: applied once, and locked by their digests."""
VIEWS: Final = "views/"
COMMENTS: Final = "comments/"
"""What all of it means; see `streams.store.schema.comments`."""
REFRESHED: Final = "refreshed/"
"""Views that the store computes again and again, into a table."""

_NAMES: Final = {
    "rates": [rate.name for rate in RATES],
    "axes": AXES,
    "harms": HARMS,
    "axis_by_family": {family: axis for family, axis in FAMILY_AXES.items() if axis},
    "axis_by_kpi": {kpi.id: kpi.axis for kpi in KPIS if kpi.axis},
}
"""What the templates may name."""
_MACROS: Final = ("tables/columns.sql.j2", "macros.sql.j2")
_REFRESHED_VIEW: Final = re.compile(r"^CREATE MATERIALIZED VIEW (\w+) REFRESH", re.MULTILINE)
_VIEW: Final = re.compile(r"^CREATE OR REPLACE VIEW (\w+)", re.MULTILINE)


@cache
def schema() -> dict[str, str]:
    """Return the SQL of each file by name, in the order in which they are applied.

    Tables come first and are whole before any view is made; what is refreshed comes last. A refresh puts a new table,
    made like the old one when it began, in the place of the old one: a change in between would be lost.
    """
    environment = Environment(
        loader=PackageLoader("schemas", "ddl"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701  SQL of our own
    )
    environment.globals |= VIEW_VALUES | _NAMES
    macros = {name: value for file in _MACROS for name, value in vars(environment.get_template(file).module).items()}
    return {
        name: environment.get_template(name).render(macros)
        for folder in (TABLES, VIEWS, COMMENTS, REFRESHED)
        for name in sorted(environment.list_templates())
        if name.startswith(folder) and name.endswith((".sql", ".toml"))
    }


def statements(text: str) -> list[str]:
    r"""Return the statements of a file.

    >>> statements("SELECT 1;\nSELECT 2;\n")
    ['SELECT 1', 'SELECT 2']
    """
    return [statement for statement in text.split(";\n") if statement.strip()]


def views() -> list[str]:
    """Return the names of the views."""
    return [name for file, text in schema().items() if file.startswith(VIEWS) for name in _VIEW.findall(text)]


def refreshed_views() -> list[str]:
    """Return the names of the views that the store refreshes."""
    return [name for text in schema().values() for name in _REFRESHED_VIEW.findall(text)]
