"""The audit log by HTTP, as JSON Lines for the verifier."""

import asyncio
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, HTTPException, Query, status
from fastapi.responses import Response

from streams.audit.log import of
from streams.audit.reading import lines
from streams.settings import Settings

MOST: Final = 10_000
"""Entries of one answer."""
TYPE: Final = "application/jsonl"


def router(settings: Settings) -> APIRouter:
    """Return the routes of the audit log; who may use them is decided by the application that includes them."""
    routes, audit = APIRouter(tags=["audit"]), of(settings)

    @routes.get("/audit")
    async def entries(
        after: Annotated[int, Query(ge=0, le=2**53)] = 0, most: Annotated[int, Query(ge=1, le=MOST)] = MOST
    ) -> Response:
        """Return entries, those behind an entry's number."""
        return await _lines(lambda: islice(lines(audit, after), most))

    @routes.get("/audit/heads")
    async def heads() -> Response:
        """Return the heads of this log, which prove its end, as they were published."""
        return await _lines(lambda: (head.line() for head in audit.heads()))

    return routes


async def _lines(read: Callable[[], Iterable[bytes]]) -> Response:
    try:
        found = await asyncio.to_thread(lambda: b"".join(line + b"\n" for line in read()))
    except OSError as error:
        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, f"the log cannot be read now: {error}") from None
    return Response(found, media_type=TYPE)
