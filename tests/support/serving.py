"""A router behind a real server on loopback, with a publisher that is connected."""

import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import APIRouter, FastAPI

from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.local.broker import free_port
from streams.settings import Settings
from tests.support.waiting import wait_until


@contextmanager
def served(settings: Settings, router: Callable[[Settings, Publisher], APIRouter]) -> Iterator[str]:
    """Yield the address of a running server."""
    publisher = Publisher(client_arguments(settings))

    @asynccontextmanager
    async def connected(_):
        await publisher.start()
        yield
        await publisher.stop()

    service = FastAPI(lifespan=connected)
    service.include_router(router(settings, publisher))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(service, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()
