"""Whether Kafka answers, asked every few seconds: what was last known of its log says nothing of that."""

import asyncio
import time
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from streams.health.problems import PROBLEMS
from streams.kafka.topics import client_arguments
from streams.settings import Settings

CHECK_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 3.0
PATIENCE_SECONDS: Final = 10.0
"""A broker that starts again is away for less."""
NAME: Final = "kafka"


class KafkaWatch:
    """Notes the problem `kafka` while no broker answers."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._client: AIOKafkaClient | None = None

    async def watch(self) -> None:
        """Ask again and again; what counts is the time of questions, so that a freeze of this process does not."""
        silent = 0.0
        while True:
            began = time.monotonic()
            if await self._answers():
                silent = 0.0
                PROBLEMS.over(NAME)
            else:
                silent += min(time.monotonic() - began, ANSWER_SECONDS) + CHECK_SECONDS
                if silent >= PATIENCE_SECONDS:
                    PROBLEMS.note(NAME, f"Kafka does not answer at {self._settings.kafka}, for {silent:.0f} s")
            await asyncio.sleep(CHECK_SECONDS)

    async def _answers(self) -> bool:
        """Ask for the cluster's metadata; the connection is kept while it does answer."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if self._client is None:
                    self._client = AIOKafkaClient(
                        **client_arguments(self._settings), request_timeout_ms=int(ANSWER_SECONDS * 1000)
                    )
                    await self._client.bootstrap()
                    return True
                if await self._client.force_metadata_update():
                    return True
        except (KafkaError, OSError):
            pass
        await self.close()
        return False

    async def close(self) -> None:
        """Disconnect; a client that does not come to its end is left behind, or nobody would ask any more."""
        client, self._client = self._client, None
        if client is not None:
            closing = asyncio.ensure_future(client.close())
            closing.add_done_callback(_unless_cancelled)
            await asyncio.wait([closing], timeout=ANSWER_SECONDS)
            closing.cancel()


def _unless_cancelled(closing: asyncio.Future[None]) -> None:
    """Look at how closing ended, which matters to nobody: a future whose error nobody looks at complains."""
    if not closing.cancelled():
        closing.exception()
