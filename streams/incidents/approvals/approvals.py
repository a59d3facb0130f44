"""Acts of two persons in the incidents worker: signed steps are read, what was agreed is carried out, glass is paged.

A step counts only with the signature of the installation's own key, which no service and no writer of the topic has:
who did it is who had signed in, whatever a record says.
"""

import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from aiokafka import ConsumerRecord

from schemas.approvals import Act, Approval, Step, hash_of
from schemas.controls import Control
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.signature import HEADER, sign, verify
from schemas.topics import APPROVALS
from schemas.wire import decoder, encode
from streams.access.principals import Principal
from streams.access.tokens import house_key
from streams.health.metrics import REFUSED
from streams.health.problems import PROBLEMS
from streams.identifiers.guard import guard_of
from streams.incidents.approvals.acts import KillSwitches, Written, content_of, messages, records_of, takes_two
from streams.incidents.approvals.alone import DETECTOR, forged, glass, lifted
from streams.incidents.approvals.fold import LASTS_NANO, Asked, Requests
from streams.incidents.fold.moves import IllegalActionError
from streams.kafka.publisher import Message, Publisher
from streams.kafka.sending import message
from streams.policy.difference import version_of
from streams.policy.policy import Policy
from streams.settings import Settings, SettingsError

log: Final = structlog.get_logger()

SOURCE: Final = "watchkeeper/approvals"
PROBLEM: Final = "policy"
AGREED: Final = "approvals"
NEWS_NANO: Final = 3_600 * NANO
"""What is forged or done alone is paged as long as it is news: another key makes all that is old look forged."""

_check: Final = decoder(Approval)


class Approvals:
    """Asks another person, hears the answer, and carries out what was agreed.

    Parameters
    ----------
    held
        Returns something once this worker holds the logs, and None where another does.
    """

    def __init__(
        self, settings: Settings, policy: Policy, publisher: Publisher, held: Callable[[], Awaitable[object | None]]
    ) -> None:
        self._settings: Final = settings
        self._publisher: Final = publisher
        self._policy: Final = policy
        self.held: Final = held
        self._key: Final = house_key(settings, b"watchkeeper approvals")
        self.forget()

    def forget(self) -> None:
        """Forget what was read; the logs are read again."""
        self.requests = Requests()
        self._switches = KillSwitches()
        self._known: set[str] = set()
        self._told: set[str] = set()
        self._pages: list[Finding] = []

    def take(self, record: ConsumerRecord, said: Approval | Control | Finding) -> None:
        """Take what a log holds; a step or a control that is not ours does not count."""
        written = record.timestamp * 1_000_000
        headers = dict(record.headers or ())
        signature = (headers.get(HEADER) or b"").decode(errors="replace")
        if isinstance(said, Finding):
            self._told |= {said.finding_id} if said.detector == DETECTOR else set()
        elif isinstance(said, Control):
            self._take_control(said, record.value or b"", signature, written)
        elif not verify(record.value or b"", signature, self._key):
            REFUSED.labels(record.topic, "forged").inc()
            log.warning("an approval is not ours and does not count", step=said.event_id, claims=said.actor_id)
            self._page(forged(said, written), written)
        elif self.requests.take(said, written):
            self._counted(said, written)

    def _counted(self, said: Approval, written: int) -> None:
        if said.step == "requested":
            self._known |= {each.event_id for each in records_of(said)}
        elif said.step == "broken_glass":
            self._pages.append(glass(self.requests.get(said.request_id).request, said, written))

    def _take_control(self, control: Control, value: bytes, signature: str, written: int) -> None:
        key = self._settings.control_key.get_secret_value().encode()
        if not key or not verify(value, signature, key):
            return
        if self._switches.take(control) and self.named("lift_kill_switch") and control.event_id not in self._known:
            self._page(lifted(control, written), written)

    def _page(self, found: Finding, written: int) -> None:
        if written > time.time_ns() - NEWS_NANO:
            self._pages.append(found)

    def named(self, act: Act) -> bool:
        """Tell whether the policy wants two persons for an act."""
        return act in self._policy.two_persons

    def takes_two(self, act: Act, records: Sequence[Written]) -> bool:
        """Tell whether some records may be written only once another person agrees."""
        return self.named(act) and takes_two(act, records, self._switches)

    async def ask(
        self, act: Act, records: Sequence[Written], principal: Principal, reason: str, source: str
    ) -> Approval:
        """Write down that somebody asks for an act, and return the request.

        Raises
        ------
        IllegalActionError
            Where it may not be asked for: by somebody without a token of their own, or too many wait.
        InvalidRecordError
            Where the contract refuses it.
        """
        guard, now, name = guard_of(self._settings), time.time_ns(), uuid.uuid4().hex
        content = content_of([guard.clean(each) for each in records])  # its hash is of what is written in the end
        made = Approval(
            event_id=name, source=source, time_unix_nano=now, service_name=records[0].service_name,
            request_id=name, step="requested", act=act, content_hash=hash_of(content), actor_kind=principal.kind,
            actor_id=_named(principal), token_id=principal.token_id, reason=reason, content=content,
            expires_at=now + LASTS_NANO,
        )  # fmt: skip
        made = guard.clean(made)
        if act == "lift_kill_switch":
            messages(self._settings, Asked(made))  # raises without a key, before anybody is asked
        await self._say(made)
        if self.requests.take(made, now):  # who asked may be answered before the log is read again
            self._counted(made, now)
        return made

    async def decide(self, request_id: str, step: Step, principal: Principal, reason: str, source: str) -> Approval:
        """Write down what somebody decides about an act, and return the step; raises as `ask`."""
        request = self.requests.get(request_id).request
        made = _step(request, step, principal.kind, _named(principal), source, reason or None, principal.token_id)
        await self._say(made)
        return made

    async def _say(self, made: Approval) -> None:
        _check(encode(made), made.time_unix_nano)
        self.requests.check(made, made.time_unix_nano)
        await self._publisher.publish([self._signed(made)])

    def _signed(self, made: Approval) -> Message:
        plain = message(self._settings, APPROVALS, made, made.request_id)
        return plain._replace(headers=(*plain.headers, (HEADER, sign(plain.value, self._key).encode())))

    async def due(self) -> list[Finding]:
        """Carry out what was agreed, and return the pages about what was done alone and what was forged."""
        for asked in self.requests.due():
            await self._carry_out(asked)
        self._check_policy()
        fresh = {each.finding_id: each for each in self._pages if each.finding_id not in self._told}
        self._told |= fresh.keys()
        self._pages.clear()
        return list(fresh.values())

    async def _carry_out(self, asked: Asked) -> None:
        """Write what was asked for, and that it is done; after a kill between the two the same records come again."""
        try:
            written = messages(self._settings, asked)
        except SettingsError as error:
            PROBLEMS.note(AGREED, f"what was agreed ({asked.request.request_id}) can't be carried out: {error}")
            return
        PROBLEMS.over(AGREED)
        made = _step(asked.request, "carried_out", "system", "watchkeeper", SOURCE)
        await self._publisher.publish([*written, self._signed(made)])
        self.requests.take(made, made.time_unix_nano)

    def _check_policy(self) -> None:
        """Say that the policy in force was published by nobody, where it wants two persons for that."""
        if not self.named("publish_policy"):
            return
        if (version := version_of(self._policy)) not in self._published():
            text = f"the policy in force ({version}) was not published by two persons"
            PROBLEMS.note(PROBLEM, f"{text}: `watchkeeper policy publish FILE --from OLD --reason WHY`")
        else:
            PROBLEMS.over(PROBLEM)

    def _published(self) -> set[str | None]:
        agreed = [each.request for each in self.requests.all() if each.agreed and each.request.act == "publish_policy"]
        return {getattr(each, "to_version", None) for request in agreed for each in records_of(request)}


def _named(principal: Principal) -> str:
    if not principal.name:
        raise IllegalActionError(
            "it takes two persons, and the token of the installation is nobody's: use one of your own "
            "(`watchkeeper token create`)"
        )
    return principal.name


def _step(
    request: Approval, step: Step, kind: str, who: str, source: str, reason: str | None = None, token: str | None = None
) -> Approval:
    """Return a step about a request, now."""
    return Approval(
        event_id=uuid.uuid4().hex, source=source, time_unix_nano=time.time_ns(), service_name=request.service_name,
        request_id=request.request_id, step=step, act=request.act, content_hash=request.content_hash,
        actor_kind=kind, actor_id=who, token_id=token, reason=reason,  # type: ignore[arg-type]
    )  # fmt: skip
