"""A router behind a real server on loopback, with a publisher that is connected."""

import threading
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import requests
import uvicorn
from fastapi import APIRouter, Depends, FastAPI

from streams.access.entry import authorised
from streams.access.limits.door import Limits
from streams.access.principals import Principals
from streams.access.proxy.people import Proxied
from streams.incidents.approvals.approvals import Approvals
from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.local.broker import free_port
from streams.policy.policy import Policy
from streams.settings import Settings
from tests.support.waiting import wait_until

Post = Callable[[str, dict[str, object]], requests.Response]


async def nobody() -> None:
    """Hold no logs."""


@contextmanager
def served(settings: Settings, router: Callable[[Settings, Publisher, Approvals], APIRouter]) -> Iterator[Post]:
    """Yield what posts to a running server, with the token of the installation."""
    publisher = Publisher(client_arguments(settings))

    @asynccontextmanager
    async def connected(_):
        await publisher.start()
        yield
        await publisher.stop()

    service = FastAPI(lifespan=connected)
    service.state.teams, service.state.limits = {}, Limits(settings, lambda *_, **__: None)
    service.state.proxied = Proxied(settings)
    principals = Principals(settings)
    entry = Depends(authorised(principals))
    approvals = Approvals(settings, Policy(), publisher, nobody)
    service.include_router(router(settings, publisher, approvals), dependencies=[entry])
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(service, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started)
    bearer = {"Authorization": f"Bearer {principals.installation}"}
    yield lambda path, body: requests.post(f"http://127.0.0.1:{port}{path}", json=body, headers=bearer, timeout=60)
    server.should_exit = True
    thread.join()
