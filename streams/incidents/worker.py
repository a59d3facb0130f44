"""The incidents worker: findings, changes and actions to incidents.

The logs are its state. They are small, so it reads them whole when it starts, works out the incidents, and publishes
what of them is missing in ``incidents.v1``; then it goes on batch by batch. Whatever was killed in between, each
transition is published once, and a repeat is the same record.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, Protocol

import structlog
from aiokafka import ConsumerRecord

from schemas.approvals import Approval
from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.evaluations import EvaluationRun
from schemas.findings import Finding
from schemas.incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from schemas.topics import ACTIONS, AUDIT_HEADS, CHANGES, FINDINGS, INCIDENTS
from schemas.wire import InvalidRecordError, Record, decoder, encode
from streams.health.metrics import REFUSED
from streams.identifiers.guard import guard_of
from streams.incidents.approvals.approvals import Approvals
from streams.incidents.escalation import due
from streams.incidents.evidence.bundle import evidence_id, moments
from streams.incidents.evidence.collector import Collector
from streams.incidents.evidence.erased import Erased
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.severity import severity_of
from streams.incidents.fold.state import Entry, Incident, happened, summary_of
from streams.incidents.notify.notifier import Notifier
from streams.incidents.pages.portrait import portrait
from streams.incidents.pages.view import IncidentView
from streams.incidents.requests.pending import PendingRequests
from streams.incidents.requests.quarantine import Quarantines
from streams.incidents.requests.signing import signed
from streams.incidents.topics import KINDS, TOPICS  # noqa: F401  the second is for whoever wires it
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message
from streams.kafka.topics import TopicState, client_arguments
from streams.policy.policy import load_policy
from streams.review.leases import Leases
from streams.worker.background import in_background
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts

log: Final = structlog.get_logger()

NEEDED: Final = (*KINDS, AUDIT_HEADS)
BATCH_RECORDS: Final = 2_000
DUTY_SECONDS: Final = 1.0


class Companion(Protocol):
    """What runs beside the fold as long as the worker does."""

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""


class Incidents:
    """The stage of the incidents worker."""

    gathers: Final = False

    def __init__(self, parts: Parts, beside: Callable[["Incidents"], Sequence[Companion]] = lambda _: ()) -> None:
        settings = self.settings = parts.settings
        publisher = self.publisher = parts.publisher
        self.policy: Final = load_policy(settings.policy)
        self.owns: Final = parts.holds
        self.leases: Final = Leases()
        self.approvals: Final = Approvals(settings, self.policy, publisher, self.incident_log)
        self._beside: Final = beside(self)
        self._topics: Final = parts.topics
        self._guard: Final = guard_of(settings)
        self._decoders: Final = {settings.topic(topic.name): decoder(kind) for topic, kind in KINDS.items()}
        self._incident_log: IncidentLog | None = None
        self._pages: dict[str, Finding] = {}
        self._written: dict[str, int] = {}
        self._deliveries: list[Delivery] = []
        self._due: set[str] = set()
        self._notifier: Notifier | None = None
        self._pending = PendingRequests(self.policy)
        self._quarantines: Final = Quarantines(settings)
        self.evidence: dict[str, IncidentEvidence] = {}
        self._erased: Final = Erased(settings)
        self._collector: Final = Collector(settings, self.policy, publisher, self._pages.get)
        self._busy: Final = asyncio.Lock()
        self._grown: Final = asyncio.Condition()
        self.revision = 0
        self._regular: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect."""
        await self.publisher.start()
        for companion in self._beside:
            await companion.start()
        urgent = self._regularly(self._request, self._escalate)
        self._regular = [in_background(work) for work in (urgent, self._regularly(self._gather))]

    async def stop(self) -> None:
        """Disconnect."""
        for task in self._regular:
            task.cancel()
        for companion in reversed(self._beside):
            await companion.stop()
        await self._stop_telling()
        await self.publisher.stop()

    async def position(self, topic: TopicState, partition: int) -> None:
        """Go on with what is committed: the logs are read whole before that, and a repeat changes nothing."""

    async def forget(self) -> None:
        """Read the logs again."""
        self._incident_log = None
        await self._stop_telling()

    async def _stop_telling(self) -> None:
        if self._notifier is not None:
            await self._notifier.stop()
            self._notifier = None

    async def take(self, batch: LogBatch) -> None:
        """Fold a batch, publish what it brings about, then acknowledge it."""
        async with self._busy:
            incident_log = await self._opened()
            self._note(incident_log, batch.records)
            await self._tell(incident_log)
            batch.ack()
        async with self._grown:
            self.revision += 1
            self._grown.notify_all()

    async def incident_log(self) -> IncidentLog | None:
        """Return the incident log, its topics read; None where another worker holds it."""
        if not self.owns():
            await self.forget()
            return None
        async with self._busy:
            return await self._opened()

    async def other(self, revision: int, seconds: float) -> None:
        """Wait until what is held is another than it was at a revision, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._grown:
                await self._grown.wait_for(lambda: self.revision != revision)

    async def folded(self, action: IncidentAction, seconds: float) -> bool:
        """Wait until the incidents hold an action, at most so long, and tell whether they do."""
        return await self.comes(lambda: self.held is not None and self.held.folding.knows(action), seconds)

    async def comes(self, true: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is true of what is held, at most so long, and tell whether it is."""
        try:
            async with asyncio.timeout(seconds), self._grown:
                return await self._grown.wait_for(true)
        except TimeoutError:
            return False

    @property
    def held(self) -> IncidentLog | None:
        """The incident log as it is in memory; None where another worker holds it, or the topics are not read yet."""
        return self._incident_log if self.owns() else None

    def known_of(self, incident_id: str) -> list[IncidentEvidence]:
        """Return what was known of an incident at its moments, without who was erased."""
        own = (each for each in self.evidence.values() if each.incident_id == incident_id)
        return [self._erased.out_of(each) for each in own]

    def portrait(
        self, incident_log: IncidentLog, incident: Incident, known: list[IncidentEvidence] | None = None
    ) -> IncidentView:
        """Return what is known of an incident, but for the course of its rate; `known` is `known_of`, or less."""
        known = self.known_of(incident.incident_id) if known is None else known
        known.sort(key=lambda each: (each.moment != "opening", each.time_unix_nano))
        now = incident_log.clock.now(time.time_ns()) or incident.clocks.detected
        return portrait(incident, known, self._pages.get, self.policy, now)

    async def _opened(self) -> IncidentLog:
        if self._incident_log is None:
            began, incident_log = time.monotonic(), IncidentLog(severity_of(self.policy))
            self._pending = PendingRequests(self.policy)
            self.approvals.forget()
            names = [self._topics[self.settings.topic(topic.name)] for topic in KINDS]
            records = [record async for record in LogReader(client_arguments(self.settings)).whole(names)]
            await asyncio.to_thread(self._note, incident_log, records)
            self._notifier = Notifier(self.settings, self.policy, self.publisher)
            self._notifier.restore(incident_log.told(), self._deliveries)
            await self._notifier.start()
            await self._tell(incident_log)
            self._incident_log, self._deliveries = incident_log, []
            log.info("incidents are worked out", records=len(records), seconds=round(time.monotonic() - began, 2))
        return self._incident_log

    def _note(self, incident_log: IncidentLog, records: Iterable[ConsumerRecord]) -> None:
        entries: list[Entry] = []
        for record in records:
            try:
                said = self._guard.clean(
                    self._decoders[record.topic](record.value or b"", record.timestamp * 1_000_000)
                )
            except InvalidRecordError as error:
                REFUSED.labels(record.topic, error.reason).inc()  # history makes a dead letter of it
                continue
            if isinstance(said, Approval | Control | Finding):
                self.approvals.take(record, said)
            entry = self._entry(incident_log, said, record.timestamp * 1_000_000)
            if entry is not None:
                entries.append(entry)
            if entry is not None and not _is_notice(entry):
                incident_log.clock.note(happened(entry)[0], record.timestamp * 1_000_000)
        incident_log.folding.add(entries)

    def _entry(self, incident_log: IncidentLog, said: Record, written: int) -> Entry | None:
        """Return what the fold is to take of a record; what else is in it goes where it belongs."""
        if isinstance(said, IncidentTransition):
            incident_log.published([said])
        elif isinstance(said, IncidentEvidence):
            self.evidence[said.event_id] = said
        elif isinstance(said, Delivery):
            self._deliveries.append(said)
        elif isinstance(said, Erasure):
            self._erased.take(said)
        if isinstance(said, Control | Finding | Change | EvaluationRun):
            self._pending.take(said)
        if isinstance(said, Control | Finding):
            self._quarantines.take(said)
        if isinstance(said, Finding) and said.severity == "page":
            self._pages[said.finding_id] = said
            self._written.setdefault(said.finding_id, written)
        if isinstance(said, Finding):
            return summary_of(said)
        return said if isinstance(said, IncidentAction | Change) else None

    async def _tell(self, incident_log: IncidentLog) -> None:
        """Publish what is news; a repeat after a crash in the middle is the same records."""
        topic, news = self.settings.topic(INCIDENTS.name), incident_log.news()
        await self.publisher.publish(Message(topic, encode(each), each.incident_id.encode()) for each in news)
        for each in news:
            if self._notifier is not None:
                self._notifier.transition(each)

    async def _regularly(self, *duties: Callable[[IncidentLog], Awaitable[None]]) -> None:
        """Do what is due by time."""
        while True:
            await asyncio.sleep(DUTY_SECONDS)
            for duty in duties:
                incident_log = await self.incident_log()
                if incident_log is not None:
                    await duty(incident_log)

    async def _request(self, incident_log: IncidentLog) -> None:
        """Ask for what the rules of the policy want, and tell of versions that nobody announced."""
        wall = time.time_ns()
        asked, topic = self._pending.controls(wall), self.settings.topic(CHANGES.name)
        if asked and not self.settings.control_key.get_secret_value():
            log.error("nothing was asked: set WATCHKEEPER_CONTROL_KEY", controls=[each.event_id for each in asked])
            asked = []
        await self.publisher.publish(signed(self.settings, control) for control in asked)
        decided = self._pending.changes()
        await self.publisher.publish(Message(topic, encode(each), each.service_name.encode()) for each in decided)
        found = self._pending.findings(incident_log.clock.now(wall) or 0) + await self._quarantines.due()
        found += await self.approvals.due()
        await self.publisher.publish_findings(self.settings.topic(FINDINGS.name), found)

    async def _escalate(self, incident_log: IncidentLog) -> None:
        """Do what the time since a page was published makes due; a replayed week does not outrun people."""
        wall, said = time.time_ns(), []
        for incident in incident_log.folding.incidents():
            waited = wall - self._written.get(incident.opened_by, wall)
            said += due([incident], incident.clocks.detected + waited, self.policy.response)
        fresh = [each for each in said if each.event_id not in self._due and not incident_log.folding.knows(each)]
        self._due |= {each.event_id for each in fresh}
        topic = self.settings.topic(ACTIONS.name)
        await self.publisher.publish(Message(topic, encode(each), each.incident_id.encode()) for each in fresh)

    async def _gather(self, incident_log: IncidentLog) -> None:
        due = [
            (incident, step)
            for incident in incident_log.folding.incidents()
            for step in moments(incident)
            if evidence_id(incident, step) not in self.evidence
        ]
        if due:
            self.evidence |= {record.event_id: record for record in await self._collector.gather(due)}


def _is_notice(entry: Entry) -> bool:
    """Tell whether an entry is an alert's: it comes by the clock, and says nothing about the time of the stream."""
    return isinstance(entry, IncidentAction) and entry.action == "notify"
