"""Single events that are severe enough to page at once, without waiting for a rate to rise."""

import hashlib
from typing import Final

import numpy as np

from schemas.categories import family
from schemas.findings import Finding
from streams.decode import Columns
from streams.evidence import literal
from streams.flags import Guards

CRITICAL: Final = 4
DETECTOR: Final = "severe_event"


def severe_findings(columns: Columns, guards: Guards) -> list[Finding]:
    """Return a finding for each guard finding of critical severity that was not stopped.

    Parameters
    ----------
    columns, guards
        The events, and their guard results as `streams.flags` flattened them.
    """
    severe = np.flatnonzero(guards.finding_counts & ~guards.finding_stopped & (guards.finding_severity >= CRITICAL))
    found = []
    for index in severe.tolist():
        event = columns.table.slice(int(guards.row[guards.finding_row[index]]), 1).to_pylist()[0]
        category = guards.finding_category[index].as_py()
        identity = f"severe/{event['source']}/{event['event_id']}/{category}"
        found.append(
            Finding(
                finding_id=hashlib.sha256(identity.encode()).hexdigest()[:32],
                kind="severe_event",
                severity="page",
                service_name=event["service_name"],
                tenant_id=event["tenant_id"],
                model_version=event["model_version"],
                metric=category,
                family=family(category) or "unknown",
                detected_time_unix_nano=event["time_unix_nano"],
                onset_time_unix_nano=event["time_unix_nano"],
                detector=DETECTOR,
                detector_version="1",
                event_ids=[event["event_id"]],
                evidence=f"one event of critical severity that nothing stopped: {category}",
                evidence_sql=f"SELECT * FROM guard_verdicts WHERE event_id = {literal(event['event_id'])}",
            )
        )
    return found
