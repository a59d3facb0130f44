"""Closes connections that ask nothing: half a request line, or nothing at all, shall not hold a socket for ever."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

IDLE_SECONDS: Final = 30.0
"""How long a connection may be open without a whole request header on its way to an answer."""


async def close_idle(
    connections: Callable[[], Iterable[Any]], busy: Callable[[Any], bool], seconds: float = IDLE_SECONDS
) -> None:
    """Close, for ever, what has been open and not busy for a while.

    Parameters
    ----------
    connections
        Returns the protocols of the server that are open now; each has a `transport`.
    busy
        Tells whether a protocol has a request that is not answered yet.
    seconds
        For how long a connection may be idle.
    """
    idle: dict[Any, float] = {}
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(min(seconds / 4, 5.0))
        seen = {each: idle.get(each, clock()) for each in list(connections()) if not busy(each)}
        for each, since in seen.items():
            if clock() - since >= seconds and each.transport is not None:
                each.transport.abort()
        idle = seen
