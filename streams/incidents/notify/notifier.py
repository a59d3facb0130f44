"""Telling receivers of incidents: one task for each, so that a dead one holds up nobody else.

What is to be sent when is `streams.incidents.notify.planning`; here it is sent, and each attempt is published to
``deliveries.v1`` before the next. After a kill between the two the attempt is made again, with the same
``webhook-id``, so that the receiver can tell.
"""

import asyncio
import time
from collections.abc import Iterable
from itertools import chain
from typing import Final

import aiohttp
import structlog

from schemas.fields import NANO
from schemas.identity import identity
from schemas.incidents import Delivery, IncidentTransition
from schemas.topics import DELIVERIES
from schemas.wire import encode
from streams.access.hosts import loopback
from streams.incidents.fold.state import SOURCE
from streams.incidents.notify.bodies import Places, body
from streams.incidents.notify.planning import GIVES_UP_AFTER, WAITS_MS, Due, backoff, expires_at, plan, said_at
from streams.incidents.notify.reach import Reach
from streams.incidents.notify.secret import SecretError
from streams.incidents.notify.sending import Outcome, Target, target
from streams.kafka.publisher import Message, Publisher
from streams.policy.policy import Policy
from streams.policy.receivers import Receiver
from streams.settings import Settings
from streams.tls.asking import address

log: Final = structlog.get_logger()

ANSWER_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 5.0
LONGEST_SLEEP: Final = 60.0
FORGETS_AFTER: Final = 2 * GIVES_UP_AFTER
"""Quiet hours are shorter than a day, and an attempt is given up a day after them."""


class Notifier:
    """Tells the receivers of the policy of each transition, once, in order, for as long as it takes.

    Parameters
    ----------
    settings
        Topic names, and where people reach the pages of incidents.
    policy
        Receivers and runbooks.
    publisher
        Takes the deliveries; it is started and stopped by its owner.
    answer_seconds
        How long one attempt may take.

    Raises
    ------
    streams.incidents.notify.secret.SecretError
        Where a receiver names a secret that is not there.
    """

    def __init__(
        self, settings: Settings, policy: Policy, publisher: Publisher, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._settings: Final = settings
        self._policy: Final = policy
        self._publisher: Final = publisher
        self._seconds: Final = answer_seconds
        self._targets: Final = {receiver.name: target(receiver) for receiver in policy.receivers}
        self._reaches: Final = {receiver.name: Reach(settings.receivers_private) for receiver in policy.receivers}
        self._news: Final = {receiver.name: asyncio.Event() for receiver in policy.receivers}
        self._transitions: dict[str, IncidentTransition] = {}
        self._deliveries: dict[str, list[Delivery]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def restore(self, transitions: Iterable[IncidentTransition], deliveries: Iterable[Delivery]) -> None:
        """Take what both topics hold; it comes before `start`. What is older than two days is left out."""
        for record in transitions:
            self._transitions[record.event_id] = record
        self._forget(time.time_ns())
        for delivery in deliveries:
            if delivery.transition_event_id in self._transitions:
                self._deliveries.setdefault(delivery.transition_event_id, []).append(delivery)

    async def start(self) -> None:
        """Begin to tell."""
        self._stopping = False
        self._tasks = [asyncio.create_task(self._serve(receiver)) for receiver in self._policy.receivers]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def stop(self) -> None:
        """End, after the attempts that are being made; what is due is told after the next start."""
        self._stopping = True
        self._wake()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self._seconds + GRACE_SECONDS)
            for task in late:  # Kafka is away; the attempt is made again, under the same id
                task.cancel()
        self._tasks = []

    def transition(self, record: IncidentTransition) -> None:
        """Tell of a transition, which is in its topic by now; a repeat is known and changes nothing.

        A task that has ended by an error raises it here, so that its worker stops.
        """
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()
        self._forget(time.time_ns())
        self._transitions.setdefault(record.event_id, record)
        self._wake()

    def _wake(self) -> None:
        for event in self._news.values():
            event.set()

    def _forget(self, now: int) -> None:
        old = [name for name, record in self._transitions.items() if said_at(record) + FORGETS_AFTER < now]
        for name in old:
            del self._transitions[name]
            self._deliveries.pop(name, None)

    async def _serve(self, receiver: Receiver) -> None:
        """Tell one receiver, one request at a time."""
        timeout = aiohttp.ClientTimeout(total=self._seconds)
        connector = self._reaches[receiver.name].connector()
        async with aiohttp.ClientSession(
            timeout=timeout, headers={"User-Agent": "watchkeeper"}, connector=connector
        ) as session:
            while not self._stopping:
                self._news[receiver.name].clear()
                now = time.time_ns()
                planned = plan([*self._transitions.values()], chain(*self._deliveries.values()), [receiver], now)
                if planned and planned[0].at <= now:
                    await self._attempt(session, receiver, planned[0])
                else:
                    await self._sleep(receiver.name, (planned[0].at - now) / NANO if planned else LONGEST_SLEEP)

    async def _sleep(self, receiver: str, seconds: float) -> None:
        """Wait for news or until something is due; now and then look at the clock, which may have been set."""
        try:
            await asyncio.wait_for(self._news[receiver].wait(), min(seconds, LONGEST_SLEEP))
        except TimeoutError:
            return

    async def _attempt(self, session: aiohttp.ClientSession, receiver: Receiver, due: Due) -> None:
        """Make one attempt and put it on record."""
        where = self._where(receiver)
        began = time.monotonic()
        outcome = await self._post(session, receiver, where, due)
        took = (time.monotonic() - began) * 1000
        now = time.time_ns()  # the same for a whole digest: that is how its parts are known to belong together
        made = [_delivery(receiver, due, record, outcome, took, now) for record in due.transitions]
        if outcome.status != "delivered":
            log.warning("a receiver was not told", receiver=receiver.name, why=outcome.detail, attempt=due.attempt)
        topic = self._settings.topic(DELIVERIES.name)
        await self._publisher.publish(Message(topic, encode(item), item.incident_id.encode()) for item in made)
        for item in made:
            self._deliveries.setdefault(item.transition_event_id, []).append(item)

    async def _post(self, session: aiohttp.ClientSession, receiver: Receiver, where: Target, due: Due) -> Outcome:
        pagerduty = receiver.kind == "pagerduty"
        key = where.secret.get_secret_value() if pagerduty and where.secret else ""
        content = body(due, receiver, self._policy, places(self._settings), key)
        signed, reach = receiver.kind == "webhook", self._reaches[receiver.name]
        return await where.post(session, content, due.delivery_id, signed=signed, reach=reach)

    def _where(self, receiver: Receiver) -> Target:
        """Return where a receiver is by its secrets as they are now; what can't be read stays what it was."""
        try:
            self._targets[receiver.name] = target(receiver)
        except SecretError as error:
            log.warning("a receiver's secret stays what it was", receiver=receiver.name, why=str(error))
        return self._targets[receiver.name]


def places(settings: Settings) -> Places:
    """Return where links lead to: as it is named, or on this machine where nobody else reaches this installation."""
    here = address(settings, settings.api_port) if loopback(settings.host) else ""
    return Places(settings.public_url or here, settings.board_url)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("nobody is told by this receiver's task any more", exc_info=error)


def _delivery(
    receiver: Receiver, due: Due, record: IncidentTransition, outcome: Outcome, took_ms: float, now: int
) -> Delivery:
    """Return the record of an attempt; the last one that may be made is given up when it fails."""
    wait = max(int(outcome.wait * NANO), backoff(due.attempt))
    last = outcome.status == "failed" and now + wait >= expires_at(record, receiver)
    labels = {"delivery_id": due.delivery_id}
    if outcome.wait:
        labels[WAITS_MS] = str(int(outcome.wait * 1000))
    return Delivery(
        event_id=identity(due.delivery_id, record.event_id, due.attempt),
        source=SOURCE,
        time_unix_nano=now,
        service_name=record.service_name,
        tenant_id=record.tenant_id,
        labels=labels,
        incident_id=record.incident_id,
        transition_event_id=record.event_id,
        receiver=receiver.name,
        status="given_up" if last else outcome.status,
        attempt=due.attempt,
        http_status=outcome.http_status,
        duration_ms=took_ms,
        detail=f"{outcome.detail}; given up after a day" if last else outcome.detail,
    )
