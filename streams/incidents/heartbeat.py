"""A sign of life for somebody outside, as long as everything moves: its absence pages when we no longer can.

It is sent by the incidents worker, the last link of the chain: where that is dead or cut off, nothing is sent. Where it
lives and another link does not move, it says so, and why.
"""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import requests
import structlog

from schemas.identity import identity
from streams.incidents.chain import Chain
from streams.incidents.notify.reach import Reach
from streams.incidents.notify.sending import Target, at_address
from streams.kafka.groups import Groups, Standing
from streams.settings import WORKER_PORTS, Settings, SettingsError
from streams.tls.asking import ask
from streams.worker.background import in_background

log: Final = structlog.get_logger()

ANSWER_SECONDS: Final = 10.0


class Heartbeat:
    """Runs beside the incidents worker.

    Parameters
    ----------
    settings
        Where it is sent, how often, and what is too late.
    owns
        Tells whether this worker is the one that works, where others stand by.

    Raises
    ------
    streams.incidents.notify.secret.SecretError
        Where the address is none.
    """

    def __init__(self, settings: Settings, owns: Callable[[], bool]) -> None:
        self._settings: Final = settings
        self._owns: Final = owns
        self._groups: Final = Groups(settings, WORKER_PORTS)
        self._chain: Final = Chain(settings.heartbeat_late_seconds)
        self._url: Final = settings.heartbeat_url.get_secret_value()
        self._well: Final = at_address("the heartbeat", self._url) if self._url else None
        self._failed: Final = at_address("the heartbeat", _below(self._url)) if self._url else None
        self._asks: Final = [each for part in settings.heartbeat_asks.split(",") if (each := part.strip())]
        self._reach: Final = Reach(settings.receivers_private, settings.receivers_proxy.get_secret_value())
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, where somebody is to be told."""
        if self._well is not None and self._failed is not None:
            self._task = in_background(self._beat(self._well, self._failed))

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await asyncio.to_thread(self._groups.close)

    async def _beat(self, well: Target, failed: Target) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": "watchkeeper"}) as session:
            while True:
                await asyncio.sleep(self._settings.heartbeat_seconds)
                if not self._owns():
                    continue
                kinds, others = await asyncio.to_thread(self._seen)
                wrong = self._chain.look(time.monotonic(), kinds, others)
                if wrong or self._chain.whole:  # a start is neither well nor a failure until it is late
                    await self._send(session, failed if wrong else well, wrong)

    def _seen(self) -> tuple[dict[str, Standing] | None, dict[str, str]]:
        others = {url: f"{url} is not well" for url in self._asks if not self._answers(url)}
        return self._groups.look(), others

    def _answers(self, url: str) -> bool:
        try:
            return ask(self._settings, "GET", url, timeout=ANSWER_SECONDS).ok
        except (requests.RequestException, SettingsError):
            return False

    async def _send(self, session: aiohttp.ClientSession, where: Target, wrong: list[str]) -> None:
        if wrong:
            log.error("the heartbeat says that something does not move", why=wrong)
        body = json.dumps({"healthy": not wrong, "problems": wrong}).encode()
        outcome = await where.post(
            session, body, identity("heartbeat", time.time_ns()), signed=False, reach=self._reach
        )
        if outcome.status != "delivered":
            log.warning("the heartbeat was not taken", why=outcome.detail)


def _below(url: str) -> str:
    """Return the address that takes failures, behind another.

    >>> _below("https://hc.example/ping/1b2c?create=1")
    'https://hc.example/ping/1b2c/fail?create=1'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/fail"))
