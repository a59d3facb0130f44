"""Drift: what is distributed differently, and which version brought it."""

from typing import Final

from dashboards.boards.common import CHANGES, TO_SERVICE, findings
from dashboards.panels import Board, Panel, history

BOARD: Final = Board(
    name="drift",
    title="Watchkeeper: drift",
    text="Open drift findings, versions seen, and unannounced changes.",
    since="now-7d",
    panels=(
        history("drift_open"),
        Panel(
            title="Calls by version", text="Which version answers how many calls. A step is a rollout.",
            query="version_share",
        ),
        Panel(
            title="Drift findings",
            text="Open ones, and those that ended in the time shown. A vote of a River detector has no proof of"
            " recovery and lapses after a week.",
            query="drifts", kind="table", unit="string",
            units={"time": "dateTimeAsIso", "ended": "dateTimeAsIso"}, links={"service": TO_SERVICE}, width=24,
        ),
        findings(
            "New versions and unannounced changes",
            "A model version that was not seen before, and whether anybody had recorded the change.",
            "version", "unannounced_change",
        ),
        CHANGES,
    ),
)  # fmt: skip
