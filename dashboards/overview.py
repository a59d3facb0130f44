"""The overview: what is unsafe, what was found, what no guard looked at."""

from importlib import resources
from typing import Any, Final

DATASOURCE: Final = {"type": "grafana-clickhouse-datasource", "uid": "watchkeeper-clickhouse"}
PANELS: Final = (
    (
        "unsafe_rate",
        "Unsafe output served",
        "Share of outputs that a guard found unsafe and nothing stopped",
        "percentunit",
    ),
    ("flags", "Injections, leaks, denied tools", "Flagged events an hour, over all services", "short"),
    (
        "guard_coverage",
        "Guard coverage",
        "Share of outputs with at least one verdict; the rest was seen by no guard",
        "percentunit",
    ),
    ("findings", "Findings", "What the detectors found, newest first", "string"),
)
"""Query, title, description and unit of each panel."""


def query(name: str) -> str:
    """Return a named query, with Grafana's macros in it."""
    return (resources.files("dashboards") / "queries" / f"{name}.sql").read_text().strip()


def board() -> dict[str, Any]:
    """Return the dashboard in Grafana's classic JSON (schema version 42)."""
    return {
        "uid": "watchkeeper-overview",
        "title": "Watchkeeper overview",
        "schemaVersion": 42,
        "tags": ["watchkeeper"],
        "time": {"from": "now-7d", "to": "now"},
        "timezone": "utc",
        "panels": [_panel(index, *panel) for index, panel in enumerate(PANELS)],
    }


def _panel(index: int, name: str, title: str, description: str, unit: str) -> dict[str, Any]:
    table = name == "findings"
    return {
        "id": index + 1,
        "type": "table" if table else "timeseries",
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "gridPos": {"h": 9, "w": 24 if table else 8, "x": 0 if table else 8 * index, "y": 9 if table else 0},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [
            {
                "refId": "A",
                "datasource": DATASOURCE,
                "editorType": "sql",
                "format": 1 if table else 0,
                "queryType": "table" if table else "timeseries",
                "rawSql": query(name),
            }
        ],
    }
