"""Gathers evidence beside the fold: an incident is never kept waiting for the store.

For each opening and escalation without evidence the store is asked, once it has taken in what the detectors saw or a
minute has passed. What it does not answer is named in the evidence as missing.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from schemas.actions import IncidentEvidence
from schemas.findings import Finding
from schemas.topics import EVIDENCE
from schemas.wire import encode
from streams.incidents.bundle import Rows, bundle, evidence, evidence_id
from streams.incidents.evidence_queries import STORED, Question, questions
from streams.incidents.state import DAY_NANO, Incident, Step
from streams.policy import Policy
from streams.publisher import Message, Publisher
from streams.settings import Settings
from streams.sql_client import ask_running
from streams.storage import StoreUnavailableError

log: Final = structlog.get_logger()

PATIENCE_SECONDS: Final = 60.0


class Collector:
    """Gathers and publishes evidence.

    Parameters
    ----------
    finding
        Returns a paged finding by its id.
    """

    def __init__(
        self, settings: Settings, policy: Policy, publisher: Publisher, finding: Callable[[str], Finding | None]
    ) -> None:
        self._settings: Final = settings
        self._policy: Final = policy
        self._publisher: Final = publisher
        self._finding: Final = finding
        self._waiting: dict[str, float] = {}

    async def gather(self, incident: Incident, step: Step) -> IncidentEvidence | None:
        """Return the evidence of a step after publishing it, or None where the store is not ready yet."""
        began = self._waiting.setdefault(evidence_id(incident, step), time.monotonic())
        patient = time.monotonic() - began < PATIENCE_SECONDS
        asked = questions(incident, step.at)
        try:
            if patient and not await asyncio.to_thread(self._stored, step.at):
                return None
            rows, missing = await asyncio.to_thread(self._ask, asked)
        except StoreUnavailableError as error:
            if patient:
                return None
            rows, missing = {}, [f"{name}: {error}" for name in asked]
        if "affected" not in asked:
            missing.append(f"{incident.metric} is no rate of single events: nobody is counted as affected")
        whole = bundle(incident, step, self._finding(incident.opened_by), asked, rows, self._policy)
        record = evidence(incident, step, whole, missing)
        topic = self._settings.topic(EVIDENCE.name)
        await self._publisher.publish([Message(topic, encode(record), incident.incident_id.encode())])
        self._waiting.pop(record.event_id, None)
        log.info("evidence is gathered", incident=incident.incident_id, moment=record.moment, missing=missing)
        return record

    def _stored(self, until: int) -> bool:
        """Tell whether history has come to a time."""
        found = ask_running(self._settings, STORED, {"since": str(until - DAY_NANO)})
        return bool(found) and int(found[0]["until"]) >= until

    def _ask(self, asked: dict[str, Question]) -> tuple[Rows, list[str]]:
        rows: Rows = {}
        missing = []
        for name, question in asked.items():
            try:
                rows[name] = ask_running(self._settings, question.query, question.parameters)
            except ValueError as error:
                missing.append(f"{name}: {str(error)[:200]}")
        return rows, missing
