"""Attacks to a running service by HTTP, and what was sent to Kafka as it goes."""

import time
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import requests

from schemas.events import Inference
from schemas.topics import INFERENCE
from streams.kafka.publisher import Message
from streams.kafka.sending import message, send_all
from streams.review.probes import HEADER, Probe, sent
from streams.settings import Settings

SECONDS: Final = 30.0
"""How long one attack may take to be answered."""


class Answer(NamedTuple):
    """How the request of a probe ended. `arrived` is whether the service can have seen it."""

    probe: Probe
    text: str
    arrived: bool
    failed: bool


def attack(settings: Settings, url: str, probes: Sequence[Probe]) -> list[Answer]:
    """Send each attack and record it; one that reached nobody is not recorded as sent.

    Any answer counts as arrived, also a refusal: a guard that stops an attack may well answer with 403. A time-out
    does too, because the service may have judged it.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where it could not be recorded; before the first attack where Kafka does not answer at all.
    """
    answers: list[Answer] = []

    def messages() -> Iterator[Message]:
        for probe in probes:
            answers.append(answer := _post(url, probe))
            if answer.arrived:
                yield _message(settings, sent(probe, time.time_ns(), answer.text))

    send_all(settings, INFERENCE, messages())
    return answers


def publish(settings: Settings, events: Sequence[Inference]) -> int:
    """Publish the events of attacks that were judged offline, and return how many."""
    return send_all(settings, INFERENCE, [_message(settings, event) for event in events])


def _message(settings: Settings, event: Inference) -> Message:
    return message(settings, INFERENCE, event, event.probe_id or event.event_id)


def _post(url: str, probe: Probe) -> Answer:
    try:
        answer = requests.post(
            url, json={"input": probe.attack.text}, headers={HEADER: probe.probe_id}, timeout=SECONDS
        )
    except requests.ReadTimeout:
        return Answer(probe, "time-out", arrived=True, failed=True)
    except requests.RequestException as error:
        return Answer(probe, type(error).__name__, arrived=False, failed=True)
    failed = answer.status_code >= requests.codes.server_error
    return Answer(probe, str(answer.status_code), arrived=True, failed=failed)
