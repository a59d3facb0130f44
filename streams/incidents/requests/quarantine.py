"""Sources under quarantine that a service searches all the same: each quarantine that is broken is one page."""

import asyncio
import time
from typing import Any, Final

from schemas.controls import Control
from schemas.findings import Finding
from schemas.sql import literal, query
from streams.findings.finding import finding
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError

DETECTOR: Final = "quarantine"
METRIC: Final = "quarantined_source"
LOOK_SECONDS: Final = 10.0

BROKEN: Final = query("streams.incidents.requests", "quarantines")


class Quarantines:
    """The quarantines that were asked for; the store knows whether they are kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self._asked = False
        self._told: set[str] = set()
        self._looked = -LOOK_SECONDS

    def take(self, record: Control | Finding) -> None:
        """Take what a log holds."""
        if isinstance(record, Control):
            self._asked |= record.control == "quarantine"
        elif record.detector == DETECTOR:
            self._told.add(record.finding_id)

    async def due(self) -> list[Finding]:
        """Return the findings of quarantines that were broken, once each; none where the store does not answer."""
        if not self._asked or time.monotonic() - self._looked < LOOK_SECONDS:
            return []
        self._looked = time.monotonic()
        try:
            broken = await asyncio.to_thread(ask_running, self._settings, BROKEN, {})
        except (StoreUnavailableError, ValueError):
            return []
        found = [each for each in map(broken_finding, broken) if each.finding_id not in self._told]
        self._told |= {each.finding_id for each in found}
        return found


def broken_finding(row: dict[str, Any]) -> Finding:
    """Return the finding of a quarantine that was broken, from a row of `BROKEN`."""
    service, source = str(row["service_name"]), str(row["data_source_id"])
    at = int(row["first_at"])
    return finding(
        ("quarantine", row["control_id"]),
        at,
        onset_time_unix_nano=at,
        kind="breach",
        severity="page",
        service_name=service,
        metric=METRIC,
        family="injection",
        detector=DETECTOR,
        event_ids=list(row["event_ids"]),
        evidence=f"{service} searched {source}, which {row['actor_id'] or 'somebody'} had put under quarantine: "
        f"{row['reason']} ({int(row['searches'])} searches, {int(row['documents'])} documents)",
        evidence_sql=f"SELECT * FROM source_quarantines WHERE control_id = {literal(str(row['control_id']))}",
    )
