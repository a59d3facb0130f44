"""What all findings have in common: the name that a repeat has too, and the times that a tick stands for."""

from collections.abc import Mapping
from typing import Any

from detectors.base import Alarm, Recovery
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.identity import identity

WHOLE = "*"
"""Stands for all tenants, and all model versions, of a service."""

VERSION = "2"
MOST_EVIDENCE = 1e300
"""Evidence that is told: more is not a finite number in every store."""


def finding(
    name: tuple[object, ...], at: int, *, e_value: float | None = None, detector_version: str = VERSION, **more: Any
) -> Finding:
    """Return a finding whose identity follows from its name.

    Parameters
    ----------
    name
        The parts of what was found, the way of finding first; a repeat has the same.
    at
        When, in Unix nanoseconds.
    e_value
        Evidence, of any size.
    more
        Other fields of the finding.
    """
    return Finding(
        finding_id=identity(*name),
        detected_time_unix_nano=at,
        detector_version=detector_version,
        e_value=None if e_value is None else min(e_value, MOST_EVIDENCE),
        **more,
    )


def of_event(name: tuple[object, ...], event: Mapping[str, Any], metric: str, **more: Any) -> Finding:
    """Return a finding to which one event is enough: it is the first bad one, and the onset.

    Parameters
    ----------
    name
        As `finding`, without the event; the event's source and id follow.
    event
        Its fields.
    metric
        The category that it counts as.
    more
        Other fields of the finding.
    """
    way, *rest = name
    return finding(
        (way, event["source"], event["event_id"], *rest),
        event["time_unix_nano"],
        service_name=event["service_name"],
        tenant_id=event["tenant_id"],
        metric=metric,
        onset_time_unix_nano=event["time_unix_nano"],
        detector_version="1",
        event_ids=[event["event_id"]],
        **more,
    )


def about_ourselves(
    name: tuple[object, ...], metric: str, detector: str, at: int, evidence: str, **more: Any
) -> Finding:
    """Return a page about the monitor itself, under its own name, so that people learn what it does not know."""
    return finding(
        name,
        at,
        kind="telemetry",
        severity="page",
        service_name="watchkeeper",
        metric=metric,
        family="telemetry",
        detector=detector,
        evidence=evidence,
        **more,
    )


def counted(found: Alarm | Recovery) -> dict[str, Any]:
    """Return the counts of a rate, and what they come to, as fields of a finding."""
    return {
        "rate": found.rate,
        "rate_lower": found.lower,
        "rate_upper": found.upper,
        "baseline": found.baseline,
        "sample_size": found.trials,
        "flagged": found.flagged,
    }


def end_of(tick: int, tick_seconds: int) -> int:
    """Return the end of a tick as a Unix time in nanoseconds."""
    return (tick + 1) * tick_seconds * NANO


def start_of(tick: int, tick_seconds: int) -> int:
    """Return the start of a tick as a Unix time in nanoseconds."""
    return tick * tick_seconds * NANO
