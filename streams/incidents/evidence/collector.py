"""Gathers evidence beside the fold: an incident is never kept waiting for the store.

For each opening and escalation without evidence the store is asked, once it has taken in what the detectors saw or a
minute has passed. What it does not answer is named in the evidence as missing.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from schemas.findings import Finding
from schemas.incidents import IncidentEvidence
from schemas.topics import EVIDENCE
from schemas.wire import encode
from streams.incidents.evidence.bundle import Answers, bundle, evidence, evidence_id
from streams.incidents.evidence.ended import ended
from streams.incidents.evidence.questions import STORED, Question, ending, questions
from streams.incidents.fold.state import DAY_NANO, Incident, Step
from streams.kafka.publisher import Message, Publisher
from streams.policy.policy import Policy
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError

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

    async def gather(self, due: Sequence[tuple[Incident, Step]]) -> list[IncidentEvidence]:
        """Return the evidence of those steps for which the store is ready, or was waited for long enough."""
        until = await asyncio.to_thread(self._stored, min(step.at for _, step in due) - DAY_NANO)
        found = []
        for incident, step in due:
            began = self._waiting.setdefault(evidence_id(incident, step), time.monotonic())
            if until >= step.at or time.monotonic() - began > PATIENCE_SECONDS:
                found.append(await self._gather(incident, step))
        return found

    async def _gather(self, incident: Incident, step: Step) -> IncidentEvidence:
        asked = questions(incident, step.at)
        if step.name == "recovered" and (metrics := self._risen(incident)):
            asked["ending"] = ending(incident, metrics, step.at)
        rows, missing = await asyncio.to_thread(self._ask, asked)
        if "affected" not in asked:
            missing.append(f"{incident.metric} is no rate of single events: nobody is counted as affected")
        whole = bundle(incident, step, self._finding(incident.opened_by), asked, rows, self._policy)
        record = evidence(incident, step, whole, missing, ended(rows.get("ending", [])))
        topic = self._settings.topic(EVIDENCE.name)
        await self._publisher.publish([Message(topic, encode(record), incident.incident_id.encode())])
        self._waiting.pop(record.event_id, None)
        log.info("evidence is gathered", incident=incident.incident_id, moment=record.moment, missing=missing)
        return record

    def _risen(self, incident: Incident) -> list[str]:
        """Return the rates whose rise was paged."""
        paged = (self._finding(step.entry) for step in incident.steps)
        return sorted({each.metric for each in paged if each and each.kind == "rate" and each.direction != "down"})

    def _stored(self, since: int) -> int:
        """Return up to when history has come; 0 where nobody answers."""
        try:
            found = ask_running(self._settings, STORED, {"since": since})
        except (StoreUnavailableError, ValueError):
            return 0
        return int(found[0]["until"]) if found else 0

    def _ask(self, asked: dict[str, Question]) -> tuple[Answers, list[str]]:
        rows: Answers = {}
        missing = []
        for name, question in asked.items():
            try:
                rows[name] = ask_running(self._settings, question.query, question.parameters)
            except (StoreUnavailableError, ValueError) as error:
                missing.append(f"{name}: {str(error)[:200]}")
        return rows, missing
