"""Work that comes to its end although its task is cancelled, and a task that is cancelled although its work ends."""

import asyncio
from collections.abc import Awaitable
from typing import Any


async def to_its_end(work: Awaitable[Any]) -> None:
    """Await work to its end, however often the task is cancelled in the middle of it; then the task is cancelled.

    aiokafka's clients swallow a cancellation that reaches them while they are closed: whoever closed one in a loop
    would go on for ever, and whoever waits for that task to end would wait as long.
    """
    task, cancelled = asyncio.ensure_future(work), False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    await task
    if cancelled:
        raise asyncio.CancelledError
