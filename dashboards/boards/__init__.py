"""The boards, one file each: one question a board, what hurts above what causes it."""

from typing import Final

from dashboards.boards import (
    agents,
    drift,
    guards,
    incidents,
    monitor,
    overview,
    review,
    runbooks,
    service,
    tuning,
)
from dashboards.panels import Board

BOARDS: Final[tuple[Board, ...]] = (
    overview.BOARD,
    service.BOARD,
    incidents.BOARD,
    guards.BOARD,
    agents.BOARD,
    drift.BOARD,
    review.BOARD,
    monitor.BOARD,
    tuning.BOARD,
    runbooks.BOARD,
)
