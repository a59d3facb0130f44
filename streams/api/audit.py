"""The audit log by HTTP, as JSON Lines for the verifier."""

import asyncio
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query
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
        found = await asyncio.to_thread(lambda: list(islice(lines(audit, after), most)))
        return _lines(found)

    @routes.get("/audit/heads")
    async def heads() -> Response:
        """Return the heads of this log, which prove its end, as they were published."""
        return _lines([head.line() for head in await asyncio.to_thread(audit.heads)])

    return routes


def _lines(found: list[bytes]) -> Response:
    return Response(b"".join(line + b"\n" for line in found), media_type=TYPE)
