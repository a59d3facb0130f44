"""Findings, actions and changes for the tests of incidents."""

from schemas.changes import Change
from schemas.findings import Finding
from schemas.incidents import IncidentAction
from streams.incidents.fold.reordering import ReorderingFold
from streams.incidents.fold.state import summary_of

NANO = 1_000_000_000
START = 1_770_000_000 * NANO


def at(second):
    """Return a time so many seconds after the start."""
    return START + int(second * NANO)


def page(name="p", second=0, severity="page", kind="rate", opened=None, service="a", family="leak", onset=-600, **more):
    """Return a finding."""
    return Finding(
        finding_id=name, kind=kind, severity=severity, service_name=service, family=family,
        metric=more.pop("metric", family),
        detected_time_unix_nano=at(second), onset_time_unix_nano=at(second + onset), detector="d",
        detector_version="1", opened_finding_id=opened, **more,
    )  # fmt: skip


def back(opened="p", second=3_600, name=None, **more):
    """Return the recovery of a finding."""
    return page(name or f"r-{opened}", second, "info", "recovery", opened, **more)


def act(action, second, incident="inc-p", name=None, **more):
    """Return an action of a person."""
    return IncidentAction(
        event_id=name or f"{action}-{second}", source="cli", service_name="a", incident_id=incident, action=action,
        time_unix_nano=at(second), actor_kind="human", actor_id="kim", **more,
    )  # fmt: skip


def change(second, action="started", name=None, service="a", subject="model", version="v2", **more):
    """Return a change."""
    return Change(
        event_id=name or f"c-{action}-{second}", source="ci", service_name=service, time_unix_nano=at(second),
        change_id=name or f"c-{second}", subject_type=subject, subject_name="m", action=action, to_version=version,
        **more,
    )  # fmt: skip


def folding(*entries):
    """Return the incidents of some entries, taken one by one."""
    kept = ReorderingFold(lambda found: "sev1" if found.kind == "severe_event" else "sev2")
    for entry in entries:
        kept.add(taken([entry]))
    return kept


def taken(entries):
    """Return entries as a book takes them."""
    facts = (summary_of(entry) if isinstance(entry, Finding) else entry for entry in entries)
    return [entry for entry in facts if entry is not None]
