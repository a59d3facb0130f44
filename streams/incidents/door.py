"""What stands before every path of the API: no body is longer than it may be, and every refusal is counted."""

from typing import Final

from fastapi import HTTPException, status
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.health import TURNED_AWAY


class Door:
    """ASGI middleware around an application that turns `HTTPException` into answers.

    Parameters
    ----------
    most_bytes
        The longest body, whatever its client says of it; what is longer is not read to its end.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app: Final = app
        self._most_bytes: Final = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        taken = 0

        async def received() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most_bytes:
                raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, f"a body has at most {self._most_bytes} bytes")
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= status.HTTP_400_BAD_REQUEST:
                TURNED_AWAY.labels("api", message["status"]).inc()
            await send(message)

        await self._app(scope, received, sent)
