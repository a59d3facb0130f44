"""The loop closed: what keeps an incident from coming again, and whether it was seen to work."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.incidents.pages.corrections import correction_text, corrections
from streams.store.client import rows
from tests.support.histories import fill
from tests.support.incidents.entries import act, at, back, folding, page

BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def said(incident, transition, hour, about=""):
    """Return a transition of an incident of the service `a` as a row of the store."""
    when = BEGAN + hour * HOUR
    return {"incident_id": incident, "event_id": f"{incident}-{transition}-{about}", "transition": transition,
            "about": about, "time": when, "transition_time": when, "service_name": "a", "services": ["a"]}  # fmt: skip


def sent(number, hour, attack, *, detected, service="a"):
    """Return a probe of the family `direct`, as counted."""
    return {"minute": BEGAN + hour * HOUR, "service_name": service, "probe_id": f"run-{number}-{attack}", "sent": 1,
            "detections": int(detected), "family": "direct", "answered": 1, "kafka_offset": number}  # fmt: skip


@pytest.mark.store
def test_a_correction_is_verified_by_what_was_seen_after_it(store):
    """A detected probe of the service after the correction verifies it, by attack or family; the last one decides."""
    named = {"i1": "probe:direct-01", "i2": "probe:direct-02", "i3": "probe:direct", "i4": "probe:direct-03",
             "i5": "rule:leaks", "i6": "rule:other", "i7": ""}  # fmt: skip
    transitions = [said(each, "detected", 0) for each in (*named, "open")]
    transitions += [said(each, "corrected", 2, about) for each, about in named.items() if about]
    transitions += [said(each, "closed", 3) for each in named]
    probes = [sent(1, 1, "direct-01", detected=True), sent(2, 4, "direct-01", detected=True),
              sent(3, 1, "direct-02", detected=True), sent(4, 4, "direct-03", detected=True),
              sent(5, 5, "direct-03", detected=False), sent(6, 4, "direct-02", detected=True, service="b")]  # fmt: skip
    for each in probes:
        each.pop("kafka_offset")
    fill(store, incident_transitions=transitions, probe_minutes=probes)
    control = {"event_id": "c", "service_name": "a", "rule": "leaks", "time": BEGAN + 6 * HOUR}
    store.insert("controls", [list(control.values())], column_names=list(control))
    found = rows(store, "SELECT incident_id, about, correction FROM incident_corrections ORDER BY incident_id")
    store.command("TRUNCATE TABLE controls")
    wanted = ("verified", "not verified", "missed", "missed", "verified", "not verified", "none")
    assert found == [(name, about, state) for (name, about), state in zip(named.items(), wanted, strict=True)]


def test_the_page_names_corrections_with_what_was_seen():
    """Each stands once, as it was named first; without an answer of the store its state is not known."""
    again = act("correct", 5_000, name="again", about="probe:direct")
    entries = [page(), back(), act("correct", 4_000, about="probe:direct"), again]
    [incident] = folding(*entries).incidents()
    [known] = corrections(incident, {"probe:direct": ("verified", at(7_200))})
    assert correction_text(known) == (
        "probe:direct, by kim 2026-02-02 03:46:40 UTC: verified: it held when it was tried last,"
        " first 2026-02-02 04:40:00 UTC"
    )
    [unknown] = corrections(incident, {})
    assert correction_text(unknown).endswith("whether it works is not known")


def test_a_correction_is_a_probe_or_a_rule():
    """Anything else could never be verified, and is refused with what is possible."""
    kept = folding(page(), act("correct", 60, about="be careful"))
    assert "probe:NAME or rule:NAME" in kept.fold.refused["correct-60"][1]
