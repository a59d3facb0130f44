"""Health that means progress: `/health`, `/ready` and `/metrics` of a worker."""

import time
from typing import Any, Final

import faust
from faust.types import TP
from faust.web import Request, Response, View
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

STALLED_SECONDS: Final = 60.0
"""With records waiting and none acknowledged for this long, a worker is not healthy."""

RECORDS = Counter("watchkeeper_records", "Records received from Kafka", ["topic"])
BATCHES = Counter("watchkeeper_batches", "Batches received from Kafka", ["topic"])
REFUSED = Counter("watchkeeper_refused", "Records that the contract refused", ["topic", "reason"])
LETTERS = Counter("watchkeeper_dead_letters", "Records that history put among the dead letters", ["reason"])
LATE = Counter("watchkeeper_late", "Events that came after their tick had closed")
REPEATED = Counter("watchkeeper_repeated", "Records met again after a restart, and left out", ["topic"])
ROWS = Counter("watchkeeper_rows", "Rows written to ClickHouse")
FINDINGS = Counter("watchkeeper_findings", "Findings published", ["kind", "severity"])
TURNED_AWAY = Counter(
    "watchkeeper_turned_away", "Requests to the SQL endpoint or the API that were refused", ["door", "code"]
)
RETRIES = Counter("watchkeeper_retries", "Attempts that a dependency did not answer", ["dependency"])
SERIES = Gauge("watchkeeper_series", "Series that the detectors follow")
OVERFLOW = Counter("watchkeeper_series_overflow", "Group sums that were counted under the name ~other")
LAG = Gauge("watchkeeper_lag", "Records waiting behind the last acknowledged one", ["topic", "partition"])
PROBLEM = Gauge("watchkeeper_problem", "1 for each problem that a person must look at", ["name"])
SECONDS = Histogram("watchkeeper_batch_seconds", "Time from receiving a batch to the end of its work")


_problems: Final[dict[str, str]] = {}


def trouble(name: str, reason: str | None) -> None:
    """Say that something is wrong that waiting and starting again won't mend, or with None that it is well again."""
    if reason is None:
        _problems.pop(name, None)
    else:
        _problems[name] = reason
    PROBLEM.labels(name).set(reason is not None)


class Progress:
    """Follows what a worker received and acknowledged, and answers for it over HTTP."""

    def __init__(self, app: faust.App) -> None:
        self._app = app
        self._ready = False
        self._acked: dict[TP, int] = {}
        self._moved = time.monotonic()

    def started(self) -> None:
        """Note that the worker is connected to all it needs."""
        self._ready = True

    def received(self, tp: TP, records: int) -> None:
        """Count a batch."""
        if not self._lag():
            self._moved = time.monotonic()
        RECORDS.labels(tp.topic).inc(records)
        BATCHES.labels(tp.topic).inc()

    def acknowledged(self, tp: TP, offset: int) -> None:
        """Note that everything up to an offset is durable."""
        self._acked[tp] = offset
        self._moved = time.monotonic()

    def _waiting(self) -> dict[TP, int] | None:
        """Return how many records wait behind the last acknowledged one; None where that is not known yet.

        A worker that has just come back has acknowledged nothing: what it has not done counts from what its
        predecessor committed.
        """
        consumer, waiting = self._app.consumer, {}
        for tp in consumer.assignment() if self._ready else ():
            end = consumer.highwater(tp)
            if end is None:
                return None
            done = self._acked.get(tp, (consumer._committed_offset.get(tp) or 0) - 1)  # noqa: SLF001  Faust shows it nowhere
            waiting[tp] = max(end - done - 1, 0)
        return waiting or None

    def _lag(self) -> int | None:
        waiting = self._waiting()
        return None if waiting is None else sum(waiting.values())

    def _show_lag(self) -> None:
        LAG.clear()  # a partition that another worker has now waits no longer here
        for tp, waiting in (self._waiting() or {}).items():
            LAG.labels(tp.topic, tp.partition).set(waiting)
            RECORDS.labels(tp.topic)  # 0 rather than nothing, so that a worker that reads nothing is seen to

    def healthy(self) -> bool:
        """Tell whether the worker moves, or has nothing to do."""
        return not self._lag() or time.monotonic() - self._moved < STALLED_SECONDS

    def serve(self) -> None:
        """Add the three pages to the app's web server."""

        @self._app.page("/health")
        async def health(view: View, request: Request) -> Response:
            healthy = self.healthy() and not _problems
            answer = {"healthy": healthy, "lag": self._lag(), "problems": list(_problems.values())}
            return view.json(answer, status=200 if healthy else 503)

        @self._app.page("/ready")
        async def ready(view: View, request: Request) -> Response:
            return view.json({"ready": self._ready}, status=200 if self._ready else 503)

        @self._app.page("/metrics")
        async def metrics(view: View, request: Request) -> Response:
            self._show_lag()
            return view.bytes(generate_latest(), content_type=CONTENT_TYPE_LATEST.split(";")[0])


def counted(metric: Any, amount: float) -> None:
    """Add to a counter where there is something to add."""
    if amount:
        metric.inc(amount)
