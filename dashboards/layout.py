"""Boards: variables, annotations, links and the places of the panels, the same on all of them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from dashboards.panels import DATASOURCE, TYPE, UID, Board, Panel, panel_json, target
from dashboards.queries import query

WIDTH: Final = 24
API: Final = "http://127.0.0.1:8130"
"""Where the incidents API listens by default; a text box on each board takes another address."""


def board_json(board: Board) -> dict[str, Any]:
    """Return a board as Grafana reads it."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.text,
        "tags": ["watchkeeper", "generated"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": "1m",
        "time": {"from": board.since, "to": "now"},
        "links": [_boards_link()],
        "templating": {"list": list(variables())},
        "annotations": {"list": list(annotations())},
        "panels": [panel_json(panel, index + 1, place) for index, (panel, place) in enumerate(places(board.panels))],
    }


def places(panels: Sequence[Panel]) -> Iterator[tuple[Panel, dict[str, int]]]:
    """Yield each panel with its place: from left to right, a new row where one is full."""
    x = y = tallest = 0
    for panel in panels:
        if x + panel.width > WIDTH:
            x, y, tallest = 0, y + tallest, 0
        yield panel, {"x": x, "y": y, "w": panel.width, "h": panel.height}
        x, tallest = x + panel.width, max(tallest, panel.height)


def variables() -> Iterator[dict[str, Any]]:
    """Yield the variables of a board, those that others are chosen by first."""
    chosen = {"text": "Watchkeeper", "value": UID}
    yield {
        "name": "datasource", "label": "Data source", "type": "datasource", "query": TYPE, "refresh": 1,
        "current": chosen,
    }  # fmt: skip
    for name, label in (
        ("environment", "Environment"),
        ("service", "Service"),
        ("version", "Model version"),
        ("tenant", "Tenant"),
    ):
        yield {
            "name": name, "label": label, "type": "query", "datasource": DATASOURCE, "query": query(f"var_{name}"),
            "refresh": 2, "multi": True, "includeAll": True, "current": {"text": ["All"], "value": ["$__all"]},
            "sort": 1,
        }  # fmt: skip
    chosen = {"text": API, "value": API}
    yield {"name": "api", "label": "Incidents API", "type": "textbox", "query": API, "current": chosen}


def annotations() -> Iterator[dict[str, Any]]:
    """Yield what is drawn over every time series."""
    for name, colour in (("changes", "blue"), ("incidents", "red")):
        yield {
            "name": name.capitalize(),
            "enable": True,
            "iconColor": colour,
            "datasource": DATASOURCE,
            "target": target(query(f"note_{name}")) | {"refId": "Anno"},
        }


def _boards_link() -> dict[str, Any]:
    return {
        "title": "Watchkeeper", "tooltip": "The other boards", "type": "dashboards", "icon": "dashboard",
        "tags": ["watchkeeper"], "asDropdown": True, "includeVars": True, "keepTime": True, "targetBlank": False,
    }  # fmt: skip
