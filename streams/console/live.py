"""Tells open pages, by server-sent events, when there is something new to show.

An answer holds one event and ends: browsers ask again by themselves, with the number of the last event that they saw.
So nothing is missed between two answers, and no worker waits for a page to be closed before it can stop.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter, Request, status
from fastapi.responses import Response, StreamingResponse

from streams.api.seen import revision
from streams.console.session import Who
from streams.incidents.worker import Incidents

LIVE_SECONDS: Final = 10.0
"""The longest that a page is not renewed: clocks and rates move on though nothing happens."""
RETRY_MILLISECONDS: Final = 500
MOST_PAGES: Final = 200
"""Pages that are told; more are asked to load themselves."""


def router(work: Incidents) -> APIRouter:
    """Return the stream."""
    routes, waiting = APIRouter(), set[int]()

    @routes.get("/live")
    async def live(request: Request, who: Who) -> Response:
        if len(waiting) >= MOST_PAGES:
            return Response(status_code=status.HTTP_204_NO_CONTENT)
        seen = request.headers.get("Last-Event-ID", "")
        return StreamingResponse(_one(work, seen, waiting, id(request)), media_type="text/event-stream")

    return routes


async def _one(work: Incidents, seen: str, waiting: set[int], place: int) -> AsyncIterator[str]:
    """Yield the next event: at once where the page has not seen the last one."""
    waiting.add(place)
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        now = await _other(work, seen or revision(work)) if seen in ("", revision(work)) else revision(work)
        yield f"id: {now}\ndata: {now}\n\n"
    finally:
        waiting.discard(place)


async def _other(work: Incidents, seen: str) -> str:
    """Wait until there is something new to be seen by whom is told, at most so long, and return its number."""
    clock = asyncio.get_running_loop().time
    end = clock() + LIVE_SECONDS
    while (now := revision(work)) == seen and clock() < end:
        await work.other(work.revision, end - clock())
    return now
