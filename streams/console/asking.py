"""Questions to the store for a page: at the same time, with little patience, and with gaps where there is no answer."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, Final

import structlog
from fastapi import HTTPException, status

from schemas.fields import NANO
from schemas.sql import query
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.worker import Incidents
from streams.settings import Settings
from streams.store.ask import ask_running, patience

log: Final = structlog.get_logger()

PATIENCE_SECONDS: Final = 1.5
"""How long a page waits for the store."""
STUDY_SECONDS: Final = 20.0
"""How long a page waits for what is not asked at night: KPIs over weeks."""
THREADS: Final = 8
NEWEST: Final = query("streams.console", "newest")


class Store:
    """Asks the store on threads of its own, so that one that hangs holds up nothing else.

    Parameters
    ----------
    settings
        Of the store.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings: Final = settings
        self._threads: Final = ThreadPoolExecutor(THREADS, "console")

    async def ask(self, **loaders: Callable[[], Any]) -> dict[str, Any]:
        """Return what each loader found; None where the store did not answer it in time or refused."""
        return await self._ask(PATIENCE_SECONDS, loaders)

    async def study(self, **loaders: Callable[[], Any]) -> dict[str, Any]:
        """Ask as `ask` does, of a store that has just answered, what takes longer."""
        return await self._ask(max(PATIENCE_SECONDS, STUDY_SECONDS), loaders)

    async def _ask(self, seconds: float, loaders: dict[str, Callable[[], Any]]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        asked = {  # what may be seen here is seen there
            name: loop.run_in_executor(self._threads, copy_context().run, _patient, loader, seconds)
            for name, loader in loaders.items()
        }
        done, waiting = await asyncio.wait(asked.values(), timeout=seconds + 0.2)
        for each in waiting:
            each.cancel()
        return {name: each.result() if each in done else None for name, each in asked.items()}


def _patient(loader: Callable[[], Any], seconds: float) -> Any:
    try:
        with patience(seconds):
            return loader()
    except (OSError, ValueError, RuntimeError) as error:
        log.warning("the console has no answer from the store", error=str(error)[:200])
        return None


async def held(work: Incidents) -> IncidentLog:
    """Return the incidents.

    Raises
    ------
    HTTPException
        503 where this worker does not hold them.
    """
    incident_log = await work.incident_log()
    if incident_log is None:
        text = "Another worker holds the incidents, or this one starts. Try again in some seconds."
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, text)
    return incident_log


async def newest(store: Store) -> int | None:
    """Return the time of the newest event that is stored, Unix nanoseconds; None where the store does not answer."""
    found = (await store.ask(newest=lambda: ask_running(store.settings, NEWEST, {})))["newest"]
    return None if found is None else max((int(row["newest"]) * NANO for row in found), default=0)


def stream_now(incident_log: IncidentLog, newest: int | None) -> int:
    """Return the time of the stream in Unix nanoseconds: a replayed week has its own.

    Parameters
    ----------
    newest
        What is newest in the store; None where that is not known.
    """
    wall = time.time_ns()
    return min(max(incident_log.clock.now(wall) or 0, newest or 0) or wall, wall)
