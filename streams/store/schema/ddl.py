"""The store's schema as SQL: the files of ``schemas/ddl`` with their macros filled in; its README tells more."""

import re
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from schemas.categories import AXES, FAMILIES, HARMS
from schemas.guards import FLAGGING_VERDICTS
from schemas.kpis import KPIS
from schemas.kpis.objectives import VIEW_VALUES
from schemas.metrics import FAMILY_AXES, RATES
from schemas.sql import literal
from schemas.traps import VIEW_VALUES as TRAP_VALUES
from schemas.vocabulary import EVENT_WORDS, GUARD_WORDS, UNSAID, VETTED, WRAPPERS
from schemas.windows import UNKNOWN_VERSION

TABLES: Final = "tables/"
"""Files that hold data: applied once, and locked by their digests."""
VIEWS: Final = "views/"
COMMENTS: Final = "comments/"
"""What all of it means; see `streams.store.schema.comments`."""
REFRESHED: Final = "refreshed/"
"""Views that the store computes again and again, into a table."""

_MACROS: Final = ("tables/columns.sql.j2", "macros.sql.j2")
_REFRESHED_VIEW: Final = re.compile(r"^CREATE MATERIALIZED VIEW (\w+) REFRESH", re.MULTILINE)
_REFRESHED_TABLE: Final = re.compile(
    r"^CREATE MATERIALIZED VIEW \w+ REFRESH [\w ]+? (?<!APPEND )TO (\w+)", re.MULTILINE
)
_VIEW: Final = re.compile(r"^CREATE OR REPLACE VIEW (\w+)", re.MULTILINE)
_CALL_WORDS: Final = ("outcome", "finish_reason_norm", "outcome_source", "deployment_variant", "capture_mode")
_STEP_WORDS: Final = (
    "step_kind",
    "tool_tier",
    "authorization",
    "approver_kind",
    "memory_action",
    "status",
    "deployment_variant",
)
"""Columns with words of the contract."""


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
    environment.globals |= VIEW_VALUES | TRAP_VALUES | _known()
    environment.filters["quoted"] = lambda words: ", ".join(map(literal, words))
    macros = {name: value for file in _MACROS for name, value in vars(environment.get_template(file).module).items()}
    return {
        name: environment.get_template(name).render(macros)
        for folder in (TABLES, VIEWS, COMMENTS, REFRESHED)
        for name in sorted(environment.list_templates())
        if name.startswith(folder) and name.endswith((".sql", ".toml"))
    }


def _known() -> dict[str, Any]:
    """Return what the contract knows by name: rates, categories, axes, and the words of each table's columns."""
    return {
        "rates": [rate.name for rate in RATES],
        "axes": AXES,
        "harms": HARMS,
        "axis_by_family": {family: axis for family, axis in FAMILY_AXES.items() if axis},
        "axis_by_kpi": {kpi.id: kpi.axis for kpi in KPIS if kpi.axis},
        "unknown_version": UNKNOWN_VERSION,
        "wrappers": tuple(WRAPPERS),
        "vetted": list(VETTED),
        "unsaid": list(UNSAID),
        "injection_bit": [rate.name for rate in RATES].index("injection_flag"),
        "memory_poisoning_bit": [rate.name for rate in RATES].index("memory_poisoning"),
        "known_categories": tuple(FAMILIES),
        "families": FAMILIES,
        "flagging_verdicts": tuple(sorted(FLAGGING_VERDICTS)),
        "known_words": [
            ("inferences", "''", [(field, field, ("", *EVENT_WORDS[field])) for field in _CALL_WORDS]),
            ("agent_steps", "''", [(field, field, ("", *EVENT_WORDS[field])) for field in _STEP_WORDS]),
            (
                "guard_verdicts",
                "guard_name",
                [(field, f"guard.{field}", ("", *known)) for field, known in GUARD_WORDS.items()],
            ),
        ],
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


def refreshed_tables() -> list[str]:
    """Return the names of the tables that each refresh makes anew.

    >>> refreshed_tables()
    ['trust_hours']
    """
    return [name for text in schema().values() for name in _REFRESHED_TABLE.findall(text)]
