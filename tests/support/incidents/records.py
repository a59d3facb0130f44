"""Records for the tests of incidents."""

import time

from schemas.incidents import Delivery, IncidentTransition

NANO = 1_000_000_000
START = 1_770_000_000 * NANO
HOUR = 3_600


def record(transition="detected", second=0, incident="i", severity="sev2", **others):
    """Return a transition."""
    at = START + int(second * NANO)
    return IncidentTransition(**{
        "event_id": f"{incident}-{transition}-{second}", "source": "watchkeeper/incidents", "time_unix_nano": at,
        "service_name": "helpdesk-eu", "incident_id": incident, "dedup_key": incident, "transition": transition,
        "transition_time_unix_nano": at, "actor_kind": "system", "severity": severity, "family": "leak", **others,
    })  # fmt: skip


def attempt(told, receiver="a", status="failed", second=0, number=1, **others):
    """Return the record of an attempt."""
    return Delivery(
        event_id=f"{told.event_id}-{receiver}-{number}", source="watchkeeper/incidents", service_name="helpdesk-eu",
        time_unix_nano=START + int(second * NANO), incident_id=told.incident_id, transition_event_id=told.event_id,
        receiver=receiver, status=status, attempt=number, **others,
    )  # fmt: skip


def fresh(transition="detected", incident="i", **others):
    """Return a transition that has just been published, always under the same id."""
    return record(transition, 0, incident, observed_time_unix_nano=time.time_ns(), **others)
