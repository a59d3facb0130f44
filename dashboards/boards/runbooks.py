"""Runbooks: one page each, on a board, so that an alert can link to them wherever Grafana is."""

from typing import Final

from dashboards.panels import Board, Panel
from dashboards.runbook import names, on_board


def _panel(name: str) -> Panel:
    text = on_board(name)
    return Panel(
        title=text.splitlines()[0].removeprefix("# "),
        text="What it means, where to look first, how to stop the harm, how to close.",
        kind="text", markdown=text.split("\n", 1)[1].strip(), width=24, height=16,
    )  # fmt: skip


BOARD: Final = Board(
    name="runbooks",
    title="Watchkeeper: runbooks",
    text="What to do about each alert.",
    panels=tuple(_panel(name) for name in names()),
)
