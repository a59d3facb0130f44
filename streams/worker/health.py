"""Health that means progress: `/health`, `/ready` and `/metrics` of a worker."""

import os
import time
from typing import TYPE_CHECKING, Final

import faust
from faust.types import TP
from faust.web import Request, Response, View
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.health.metrics import BATCHES, LAG, RECORDS
from streams.health.problems import AWAY, ENGINE, PROBLEMS
from streams.kafka.reach import KafkaWatch
from streams.settings import Settings
from streams.worker.background import in_background

if TYPE_CHECKING:
    import asyncio

STALLED_SECONDS: Final = 60.0
"""With records waiting and none acknowledged for this long, a worker is not healthy."""


class Progress:
    """Follows what a worker received, finished and acknowledged, and answers for it over HTTP."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        self._app = app
        self._kafka = KafkaWatch(settings)
        self._watching: asyncio.Task[None] | None = None
        self._working = False
        self._taken: dict[TP, int] = {}
        self._acked: dict[TP, int] = {}
        self._moved = self._acked_at = time.monotonic()

    def started(self) -> None:
        """Note that the worker is connected to all it needs, and look from now on whether it stays so."""
        self._moved = self._acked_at = time.monotonic()
        self._watching = in_background(self._kafka.watch())

    async def stopped(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
            await self._kafka.close()

    def received(self, tp: TP, records: int, offset: int) -> None:
        """Count a batch, which ends at an offset; work on it begins."""
        if not self._lag():
            self._acked_at = time.monotonic()
        self._moved, self._working = time.monotonic(), True
        self._taken[tp] = offset
        RECORDS.labels(tp.topic).inc(records)
        BATCHES.labels(tp.topic).inc()

    def finished(self) -> None:
        """Note that the work on a batch is done, whether it could be acknowledged or not."""
        self._moved, self._working = time.monotonic(), False

    def acknowledged(self, tp: TP, offset: int) -> None:
        """Note that everything up to an offset is durable."""
        self._acked[tp] = offset
        self._moved = self._acked_at = time.monotonic()

    def _behind(self, done: dict[TP, int]) -> dict[TP, int] | None:
        """Return how many records wait behind those that are done; None where that is not known yet.

        A worker that has just come back has done nothing: it counts from what its predecessor committed.
        """
        consumer, waiting = self._app.consumer, {}
        for tp in consumer.assignment() if self._watching else ():
            end = consumer.highwater(tp)
            if end is None:
                return None
            committed = consumer._committed_offset.get(tp) or 0  # noqa: SLF001  Faust shows it nowhere
            last = max(done.get(tp, -1), committed - 1)  # another worker may have had the partition meanwhile
            waiting[tp] = max(end - last - 1, 0)
        return waiting or None

    def _lag(self) -> int | None:
        waiting = self._behind(self._acked)
        return None if waiting is None else sum(waiting.values())

    def _show_lag(self) -> None:
        LAG.clear()  # a partition that another worker has now waits no longer here
        for tp, waiting in (self._behind(self._acked) or {}).items():
            LAG.labels(tp.topic, tp.partition).set(waiting)
            RECORDS.labels(tp.topic)  # 0 rather than nothing, so that a worker that reads nothing is seen to

    def stalled(self) -> bool:
        """Tell whether this worker should move and does not, so that starting it again may help.

        It should not while what it needs is away or has no room: nothing that it could do would help.
        """
        problems = PROBLEMS.current()
        if ENGINE in problems:
            return True
        if not self._watching or problems.keys() & AWAY or time.monotonic() - self._moved < STALLED_SECONDS:
            return False
        return self._working or any((self._behind(self._taken) or {}).values())

    def problems(self) -> list[str]:
        """Return in words what keeps the worker from its work, or from looking well."""
        found = list(PROBLEMS.current().values())
        silent, lag = time.monotonic() - self._acked_at, self._lag()
        if lag and silent >= STALLED_SECONDS:
            found.append(f"{lag} records wait, and none was acknowledged for {silent:.0f} s")
        return found

    def ready(self) -> bool:
        """Tell whether the worker does its work now, or would if there were any for it."""
        if self._watching is None or PROBLEMS.current().keys() & (AWAY | {ENGINE}) or self.stalled():
            return False
        if not self._app.consumer_generation_id:
            return False  # it has not joined its group yet
        return not self._app.consumer.assignment() or self._lag() is not None

    def serve(self) -> None:
        """Add the three pages to the app's web server."""

        @self._app.page("/health")
        async def health(view: View, request: Request) -> Response:
            problems = self.problems()
            body = {
                "healthy": not problems,
                "ready": self.ready(),
                "stalled": self.stalled(),
                "lag": self._lag(),
                "problems": problems,
                "pid": os.getpid(),
            }
            return view.json(body, status=503 if problems else 200)

        @self._app.page("/ready")
        async def ready(view: View, request: Request) -> Response:
            ready = self.ready()
            return view.json({"ready": ready}, status=200 if ready else 503)

        @self._app.page("/metrics")
        async def metrics(view: View, request: Request) -> Response:
            self._show_lag()
            return view.bytes(generate_latest(), content_type=CONTENT_TYPE_LATEST.split(";")[0])
