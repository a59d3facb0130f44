"""What people and rules said, as it went to Kafka: who, what, about which service, and the hash of the whole record."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
import structlog

from schemas.topics import ACTIONS, APPROVALS, CHANGES, CONTROLS, ERASURES, EVIDENCE, REVIEWS, TRIAGE, Topic
from schemas.wire import Record
from streams.audit.log import Value, entry, note
from streams.audit.recorder import Recorder
from streams.kafka import sending
from streams.kafka.publisher import Message
from streams.settings import Settings

log: Final = structlog.get_logger()

KINDS: Final[dict[Topic, tuple[str, str]]] = {
    ACTIONS: ("action", "action"),
    CHANGES: ("change", "action"),
    CONTROLS: ("control", "control"),
    REVIEWS: ("label", "label"),
    TRIAGE: ("triage", "decision"),
    ERASURES: ("erasure", "subject"),
    EVIDENCE: ("evidence", "moment"),
    APPROVALS: ("approval", "step"),
}
"""Topics with what their records are called in the log, and the field that says what was done."""

_WHO: Final = ("actor_id", "initiator_id", "annotator_pseudo_id")
_ABOUT: Final = ("incident_id", "target_event_id", "finding_id", "change_id", "metric", "subject_hash", "request_id")


def entries(settings: Settings, messages: Iterable[Message]) -> list[dict[str, Value]]:
    """Return what is written down of messages; nothing of those that nobody said."""
    kinds = {settings.topic(topic.name): said for topic, said in KINDS.items()}
    return [_entry(each, *kinds[each.topic]) for each in messages if each.topic in kinds]


def _entry(message: Message, kind: str, does: str) -> dict[str, Value]:
    said: dict[str, Any] = msgspec.json.decode(message.value)
    return entry(
        kind,
        who=_first(said, _WHO),
        actor_kind=_text(said, "actor_kind"),
        did=_text(said, does),
        act=_text(said, "act"),
        service=_text(said, "service_name"),
        about=_first(said, _ABOUT),
        source=_text(said, "source"),
        event=_text(said, "event_id"),
        record=hashlib.sha256(message.value).hexdigest(),
    )


def _text(said: dict[str, Any], name: str) -> str:
    found = said.get(name)
    return found if isinstance(found, str) else ""


def _first(said: dict[str, Any], names: Sequence[str]) -> str:
    return next((found for name in names if (found := _text(said, name))), "")


def heard(settings: Settings, recorder: Recorder, messages: Sequence[Message]) -> None:
    """Write down what a publisher has brought to Kafka."""
    for each in entries(settings, messages):
        recorder.add(each)


def send(settings: Settings, topic: Topic, record: Record, key: str) -> None:
    """Send one record that somebody says by a command, and write it down; errors are those of `send_all`."""
    send_all(settings, topic, [sending.message(settings, topic, record, key)])


def send_all(settings: Settings, topic: Topic, messages: Sequence[Message]) -> int:
    """Send what somebody says by a command, write it down, and return how many messages that were.

    Raises
    ------
    KafkaUnavailableError, TopicError
        As `streams.kafka.sending.send_all`.
    """
    sent = sending.send_all(settings, topic, messages)
    if problem := note(settings, entries(settings, messages)):
        log.warning(problem)
    return sent
