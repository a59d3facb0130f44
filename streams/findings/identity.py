"""What all findings have in common: a name that a repeat has too, and the end of a tick as a time."""

import hashlib
from typing import Any

from schemas.fields import NANO
from schemas.findings import Finding

WHOLE = "*"
"""Stands for all tenants, and all model versions, of a service."""

VERSION = "2"


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
