"""Work that a worker does by time, beside what it reads."""

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, Final

import structlog

log: Final = structlog.get_logger()


def in_background(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Return the task of some work; the worker ends where it fails, and its supervisor starts it again.

    A task that nobody waits for dies without a word: the worker would live on, look well, and leave that work undone.
    """
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_end_worker)
    return task


def _end_worker(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the worker's regular work failed", exc_info=task.exception())
        signal.raise_signal(signal.SIGTERM)
