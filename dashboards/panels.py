"""Panels and boards in Grafana's classic JSON: the house's defaults, once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from dashboards.queries import Value, query
from schemas.kpis import BY_ID
from schemas.kpis.kpi import Better, Kpi, Unit
from schemas.kpis.objectives import SERVICE_OBJECTIVE

TYPE: Final = "grafana-clickhouse-datasource"
DATASOURCE: Final = {"type": TYPE, "uid": "${datasource}"}
UID: Final = "watchkeeper-clickhouse"
"""The data source that provisioning makes; rules name it, panels take the one that is chosen."""

UNTRUSTED: Final = "Orange points and the word untrusted mean: its telemetry was late, missing or partial."
UNITS: Final[dict[Unit, str]] = {
    "share": "percentunit", "count": "short", "seconds": "s", "milliseconds": "ms", "ratio": "short", "kappa": "short",
}  # fmt: skip
"""Units as Grafana calls them."""
GREEN: Final = "green"
RED: Final = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. `units` and `links` are by column; `limit` is drawn and colours what is beyond it."""

    title: str
    text: str
    query: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    kind: Literal["timeseries", "table", "stat", "text"] = "timeseries"
    unit: str = "short"
    units: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    limit: float | None = None
    better: Better = "lower"
    width: int = 12
    height: int = 8
    markdown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One board: its uid is ``watchkeeper-`` and the name."""

    name: str
    title: str
    text: str
    panels: Sequence[Panel]
    since: str = "now-24h"

    @property
    def uid(self) -> str:
        """Its fixed name in Grafana."""
        return f"watchkeeper-{self.name}"


def history(kpi_id: str, width: int = 12) -> Panel:
    """Return the panel of a KPI's history: value, interval, objective, and where it is untrusted."""
    kpi = BY_ID[kpi_id]
    return Panel(
        title=kpi.title,
        text=f"{kpi.says} {wanted(kpi)} {UNTRUSTED}",
        query="history",
        values={"view": kpi.view, "kpi": kpi.id, "step": kpi.step_seconds, "objective": SERVICE_OBJECTIVE},
        unit=UNITS[kpi.unit],
        limit=kpi.objective,
        better=kpi.better,
        width=width,
    )


def wanted(kpi: Kpi) -> str:
    """Return what is wanted of a KPI, as a sentence; nothing where it has no objective.

    >>> wanted(BY_ID["unsafe_served"]), wanted(BY_ID["time_to_acknowledge"]), wanted(BY_ID["burn_rate"])
    ('Wanted: at most 2 %.', 'Wanted: at most 15 minutes.', '')
    """
    if kpi.objective is None:
        return ""
    size, word = {"share": (100.0, " %"), "seconds": (1 / 60, " minutes")}.get(kpi.unit, (1.0, ""))
    return f"Wanted: at {'most' if kpi.better == 'lower' else 'least'} {size * kpi.objective:g}{word}."


def panel_json(panel: Panel, number: int, place: Mapping[str, int]) -> dict[str, Any]:
    """Return a panel as Grafana reads it."""
    made: dict[str, Any] = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "gridPos": dict(place),
    }
    if panel.kind == "text":
        return made | {"options": {"mode": "markdown", "content": panel.markdown}}
    return made | {
        "datasource": DATASOURCE,
        "interval": "1m",
        "fieldConfig": {"defaults": _defaults(panel), "overrides": list(_overrides(panel))},
        "options": _options(panel),
        "targets": [target(query(panel.query, **panel.values), series=panel.kind == "timeseries")],
    }


def target(sql: str, *, series: bool = False) -> dict[str, Any]:
    """Return a query as the data source reads it."""
    return {
        "refId": "A",
        "datasource": DATASOURCE,
        "editorType": "sql",
        "format": 0 if series else 1,
        "queryType": "timeseries" if series else "table",
        "rawSql": sql,
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    made: dict[str, Any] = {"unit": panel.unit, "noValue": "not known"}
    can_be_overspent = panel.limit is not None and panel.limit <= 0
    if panel.unit == "percentunit" and panel.kind == "timeseries" and not can_be_overspent:
        made |= {"min": 0}
    if panel.limit is not None:
        good, bad = (GREEN, RED) if panel.better == "lower" else (RED, GREEN)
        steps = [{"color": good, "value": None}, {"color": bad, "value": panel.limit}]
        made["thresholds"] = {"mode": "absolute", "steps": steps}
    if panel.kind == "timeseries":
        style = "line" if panel.limit is not None else "off"
        made["custom"] = {"thresholdsStyle": {"mode": style}, "lineWidth": 2, "showPoints": "auto", "spanNulls": False}
    return made


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        reduce = {"values": True, "calcs": ["lastNotNull"], "fields": ""}
        return {
            "reduceOptions": reduce, "textMode": "value_and_name", "colorMode": "value", "graphMode": "none",
            "justifyMode": "auto", "orientation": "auto", "wideLayout": True, "showPercentChange": False,
            "percentChangeColorMode": "standard",
        }  # fmt: skip
    if panel.kind == "table":
        return {"showHeader": True, "cellHeight": "sm", "frameIndex": 0}
    legend = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
    return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _overrides(panel: Panel) -> Iterator[dict[str, Any]]:
    if panel.kind == "timeseries":
        yield _override("byRegexp", "/^(lower|upper)/", {"custom.lineWidth": 1, "custom.lineStyle": _DASHED})
        yield _override("byName", "upper", {"custom.fillBelowTo": "lower", "custom.fillOpacity": 10})
        points = {"custom.drawStyle": "points", "custom.pointSize": 8, "color": _FIXED | {"fixedColor": "orange"}}
        yield _override("byRegexp", "/^untrusted/", points)
    for name in ("trust", "guard_trust", "state", "severity"):
        if panel.kind == "table":
            yield _override("byName", name, {"mappings": [_WORDS], "custom.cellOptions": {"type": "color-text"}})
    for name, unit in panel.units.items():
        yield _override("byName", name, {"unit": unit})
    for name, url in panel.links.items():
        yield _override("byName", name, {"links": [{"title": "Open", "url": url}]})


_DASHED: Final = {"fill": "dash", "dash": [4, 4]}
_FIXED: Final = {"mode": "fixed"}
_COLOURS: Final = {
    "untrusted": "orange", "missed": "red", "at risk": "yellow", "unknown": "orange", "met": "green",
    "sev1": "red", "sev2": "orange", "page": "red", "open": "orange", "detected": "red", "acknowledged": "orange",
}  # fmt: skip
_WORDS: Final = {
    "type": "value",
    "options": {word: {"index": index, "color": colour} for index, (word, colour) in enumerate(_COLOURS.items())},
}


def _override(matcher: str, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "matcher": {"id": matcher, "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
