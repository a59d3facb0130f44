"""Which rows of the store are whose: the limit to the services of teams, as conditions on tables.

The same conditions are filters of a question to the embedded engine, and row policies of a ClickHouse server. They hold
at tables, so also below every view, and a table that is not here has no rows for whoever is limited.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from schemas.sql import literal
from streams.access.teams import EVERY, Team

OF_A_SERVICE: Final = (
    "inferences", "agent_steps", "retrievals", "guard_verdicts", "telemetry", "changes", "controls", "review_items",
    "review_labels", "incident_actions", "deliveries", "findings", "windows", "service_minutes", "service_hours",
    "stage_minutes", "stage_hours", "category_minutes", "probe_minutes", "counted_minutes", "counted_hours",
    "window_minutes", "window_hours", "trust_hours", "trap_hours", "evaluations", "triage",
    "masked_identifiers",
)  # fmt: skip
"""Tables whose rows are of the service in `service_name`."""
OF_SERVICES: Final = {"incident_transitions": "{own} AND {all}", "reporting_rules": "{all}"}
"""Tables whose rows name several, in `services`: they are seen by whoever sees each of these."""
OF_ALL: Final = ("horizons", "schema_migrations")
"""Tables that speak of no service: how far the paths of counting are, and the ledger of the schema."""
USUAL: Final = {"service_policies": "service_name = '' OR {own}"}
"""What holds where nothing is said of a service is everybody's."""
NOBODYS: Final = (
    "dead_letters", "window_messages", "incident_evidence", "erasures", "erasure_runs", "retention_runs",
    "audit_heads",
)  # fmt: skip
"""Tables whose rows may hold anything of anybody, whole records, or what is about all: for those who see all."""
TABLES: Final = (*OF_A_SERVICE, *OF_SERVICES, *OF_ALL, *USUAL, *NOBODYS)

READER: Final = "watchkeeper_reader"
"""The settings profile of readers that `schemas/server/readers.sql` makes."""


def condition(services: Sequence[str], column: str = "service_name") -> str:
    r"""Return what holds for the services of somebody, as SQL.

    >>> print(condition(["cart", "shop_*"]))
    (service_name IN ('cart') OR service_name LIKE 'shop\\_%')
    >>> condition([])
    '0'
    """
    names = [literal(each) for each in services if EVERY not in each]
    patterns = [literal(_like(each)) for each in services if EVERY in each]
    parts = [f"{column} IN ({', '.join(names)})"] if names else []
    parts += [f"{column} LIKE {each}" for each in patterns]
    return f"({' OR '.join(parts)})" if parts else "0"


def _like(pattern: str) -> str:
    for each in ("\\", "%", "_"):
        pattern = pattern.replace(each, f"\\{each}")
    return pattern.replace(EVERY, "%")


def row_condition(table: str, services: Sequence[str]) -> str:
    """Return which rows of a table are seen by whoever sees some services."""
    own = condition(services)
    others = f"NOT arrayExists(each -> NOT {condition(services, 'each')}, services)"
    if table in OF_ALL:
        return "1"
    if table in OF_A_SERVICE:
        return own
    return "(" + (OF_SERVICES | USUAL).get(table, "0").format(own=own, all=others) + ")"


def filters(limits: Sequence[Sequence[str]], database: str, tables: Iterable[str] = TABLES) -> str:
    r"""Return limits, each the services of somebody, as the value of the setting `additional_table_filters`.

    >>> print(filters([["a"], ["a", "b"]], "w", ["triage"]))
    {'w.triage': '(service_name IN (\'a\')) AND (service_name IN (\'a\', \'b\'))'}
    """
    found = {f"{database}.{table}": " AND ".join(row_condition(table, each) for each in limits) for table in tables}
    return "{" + ", ".join(f"{literal(name)}: {literal(text)}" for name, text in found.items()) + "}"


def server_statements(teams: Mapping[str, Team], database: str) -> list[str]:
    """Return what limits the users of a ClickHouse server to the services of teams: a role for each, with its rows.

    Who has two of the roles sees the rows of both; who has none of them is not limited by any. The roles read our
    database alone: sizes in `system.parts` speak of everybody's rows.
    """
    roles = {name: f"`watchkeeper_team_{name}`" for name in teams}
    found = []
    for role in roles.values():
        found += [
            f"CREATE ROLE IF NOT EXISTS {role} SETTINGS PROFILE '{READER}'",
            f"GRANT SELECT, SHOW ON `{database}`.* TO {role}",
        ]
    for table in TABLES if teams else ():
        on = f"ON `{database}`.`{table}` FOR SELECT USING"
        others = ", ".join(roles.values())
        found.append(f"CREATE ROW POLICY OR REPLACE watchkeeper_everybody {on} 1 AS PERMISSIVE TO ALL EXCEPT {others}")
        for name, team in teams.items():
            what = row_condition(table, team.services)
            found.append(
                f"CREATE ROW POLICY OR REPLACE `watchkeeper_team_{name}` {on} {what} AS PERMISSIVE TO {roles[name]}"
            )
    return found
