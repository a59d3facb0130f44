"""What all findings have in common: a name that a repeat has too, and the end of a tick as a time."""

import hashlib
from collections.abc import Sequence
from typing import Any, Protocol

from schemas.findings import Finding
from streams.detect.merge import TickSums
from streams.kafka.checkpoints import Arrays
from streams.watch.ticks import NANO

WHOLE = "*"
"""Stands for all tenants, and all model versions, of a service."""

VERSION = "2"


class Watcher(Protocol):
    """One way of looking at the sums of each tick."""

    def judge(self, tick: int, sums: TickSums) -> Sequence[Finding]:
        """Return what a whole tick brings to light; ticks come in order, silent ones may be left out."""

    def state(self) -> Arrays:
        """Return the state as flat arrays."""

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""


def identity(*parts: object) -> str:
    """Return a name that is the same whenever the same is found."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:32]


def about_ourselves(finding_id: str, metric: str, detector: str, at: int, evidence: str, **more: Any) -> Finding:
    """Return a page about the monitor itself, under its own name, so that people learn what it does not know."""
    return Finding(
        finding_id=finding_id,
        kind="telemetry",
        severity="page",
        service_name="watchkeeper",
        metric=metric,
        family="telemetry",
        detected_time_unix_nano=at,
        detector=detector,
        detector_version=VERSION,
        evidence=evidence,
        **more,
    )


def end_of(tick: int, tick_seconds: int) -> int:
    """Return the end of a tick as a Unix time in nanoseconds."""
    return (tick + 1) * tick_seconds * NANO


def start_of(tick: int, tick_seconds: int) -> int:
    """Return the start of a tick as a Unix time in nanoseconds."""
    return tick * tick_seconds * NANO
