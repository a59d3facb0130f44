"""The HTTP API on its port, in the event loop of the worker that serves it."""

import asyncio
import ssl
from contextlib import nullcontext
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from streams.access.half_open import close_idle


class Server:
    """An application on its port, in the event loop of the process.

    Parameters
    ----------
    setting
        What moves the port, for the message where it is taken.
    tls
        What it speaks TLS with; None for none.
    """

    def __init__(
        self,
        app: FastAPI,
        host: str,
        port: int,
        setting: str = "WATCHKEEPER_API_PORT",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        config = uvicorn.Config(app, host, port, log_config=None, access_log=False, lifespan="off", proxy_headers=False)
        config.ssl_context_factory = None if tls is None else lambda *_: tls
        self._server: Final = _Quiet(config)
        self._taken: Final = f"{host}:{port} is taken; set {setting}"
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve.

        Raises
        ------
        ValueError
            Where the port is taken, with the setting that moves it.
        """
        self._task = asyncio.create_task(self._serve())
        while not self._server.started:
            if self._task.done():
                raise ValueError(self._taken)
            await asyncio.sleep(0.01)  # uvicorn says only by a flag that it serves

    async def _serve(self) -> None:
        connections = self._server.server_state.connections
        sweeper = asyncio.create_task(close_idle(lambda: connections, _busy))
        try:
            await self._server.serve()
        except SystemExit:
            return
        finally:
            sweeper.cancel()

    async def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task


def _busy(connection: Any) -> bool:
    return connection.cycle is not None and not connection.cycle.response_complete


class _Quiet(uvicorn.Server):
    """A server that leaves the signals to the worker."""

    def capture_signals(self) -> Any:
        """Capture none."""
        return nullcontext()
