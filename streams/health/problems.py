"""What is wrong with this process now, by name and in words: for `/health`, the log and the metrics."""

import threading
from typing import Final

import structlog
from prometheus_client import Gauge

log: Final = structlog.get_logger()

PROBLEM: Final = Gauge("watchkeeper_problem", "1 while something is wrong; /health says what, in words", ["name"])

RIGHTS: Final = "kafka rights"
"""The problem of a worker that the broker does not let write."""
AWAY: Final = frozenset({"kafka", "store", "disk", RIGHTS})
"""Problems of what a worker needs; it waits, and goes on by itself when they are over."""
ENGINE: Final = "engine"
"""The problem of an embedded store that fails; it is part of the worker's own process."""


class Problems:
    """Named problems, each with its reason while it lasts; may be used from any thread."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._reasons: dict[str, str] = {}

    def note(self, name: str, reason: str) -> None:
        """Say that something is wrong, and why; again with another reason replaces it."""
        with self._lock:
            new = name not in self._reasons
            self._reasons[name] = reason
        PROBLEM.labels(name).set(1)
        if new:
            log.warning("problem", name=name, reason=reason)

    def over(self, name: str) -> None:
        """Say that it is well again; without effect where nothing was wrong."""
        with self._lock:
            gone = self._reasons.pop(name, None)
        if gone is not None:
            PROBLEM.labels(name).set(0)
            log.info("problem is over", name=name, reason=gone)

    def current(self) -> dict[str, str]:
        """Return the reasons by name."""
        with self._lock:
            return dict(self._reasons)


PROBLEMS: Final = Problems()
"""Of this process."""
