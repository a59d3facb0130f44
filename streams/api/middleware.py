"""What stands before every path of the API.

No page of another site asks, no body is longer or slower than it may be, and every refusal is counted.
"""

import asyncio
from typing import Final

from fastapi import HTTPException, status
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.access.callers import Callers
from streams.health.metrics import TURNED_AWAY

BODY_SECONDS: Final = 30.0
"""How long a client may take to send its body."""


class RequestLimits:
    """ASGI middleware around an application that turns `HTTPException` into answers.

    Parameters
    ----------
    most_bytes
        The longest body, whatever its client says of it; what is longer is not read to its end.
    callers
        Tells from which pages and under which names the application may be asked.
    door
        What refusals are counted under.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, callers: Callers, door: str = "api") -> None:
        self._app: Final = app
        self._door: Final = door
        self._callers: Final = callers
        self._most_bytes: Final = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        taken, whole = 0, False
        end = asyncio.get_running_loop().time() + BODY_SECONDS

        async def received() -> Message:
            nonlocal taken, whole
            try:
                async with asyncio.timeout_at(None if whole else end):
                    message = await receive()
            except TimeoutError:
                text = f"a body has to come within {BODY_SECONDS:.0f} s"
                raise HTTPException(status.HTTP_408_REQUEST_TIMEOUT, text) from None
            whole = not message.get("more_body", False)
            taken += len(message.get("body", b""))
            if taken > self._most_bytes:
                raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, f"a body has at most {self._most_bytes} bytes")
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= status.HTTP_400_BAD_REQUEST:
                TURNED_AWAY.labels(self._door, message["status"]).inc()
            await send(message)

        if why := self._callers.refusal(scope.get("method", ""), Headers(scope=scope)):
            await JSONResponse({"detail": why.text}, why.status)(scope, received, sent)
        else:
            await self._app(scope, received, sent)
