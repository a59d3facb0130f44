"""Attacks to a running service by HTTP, and what was sent to Kafka as it goes."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import requests

from schemas.events import Inference
from schemas.topics import INFERENCE
from streams.kafka.publisher import Message
from streams.kafka.sending import message, send_all
from streams.review.probes import HEADER, Probe, sent
from streams.settings import Settings

SECONDS: Final = 30.0
"""How long one attack may take to be answered."""


UNANSWERED: Final = (requests.codes.request_timeout, requests.codes.too_many_requests)
"""Answers of a client's fault that say nothing of guards."""


class Answer(NamedTuple):
    """How the request of a probe ended. `reached` is whether the service can be taken to have judged it."""

    probe: Probe
    text: str
    reached: bool


def attack(settings: Settings, url: str, probes: Sequence[Probe], *, structured: bool = False) -> list[Answer]:
    """Send each attack and record it with how it ended.

    A refusal is an answer: a guard that stops an attack may well say 403. An error of the server, a quota (429), a
    time-out or no connection is none; what the service still logs of it counts.

    Parameters
    ----------
    structured
        Send documents and results of tools in fields of their own, and turns as requests of one conversation; else all
        of an attack is the text of one message.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where it could not be recorded; before the first attack where Kafka does not answer at all.
    """
    answers: list[Answer] = []

    def messages() -> Iterator[Message]:
        for probe in probes:
            answers.append(answer := _post(url, probe, bodies(probe) if structured else [{"input": probe.attack.text}]))
            yield _message(settings, sent(probe, time.time_ns(), answer.text, reached=answer.reached))

    send_all(settings, INFERENCE, messages())
    return answers


def bodies(probe: Probe) -> list[dict[str, Any]]:
    """Return what is posted for an attack, in its order.

    >>> from streams.review.probes import attacks
    >>> found = {each.attack_id: bodies(Probe("chat", "r", each)) for each in attacks()}
    >>> [sorted(body) for body in found["document-01"]], [sorted(body) for body in found["result-01"]]
    ([['documents', 'input']], [['input', 'tool_results']])
    >>> len(found["turns-01"]), found["turns-01"][0]["conversation_id"], sorted(found["direct-01"][0])
    (3, 'r-turns-01', ['input'])
    """
    parts = dict(probe.attack.parts)
    if "turns" in parts:
        return [{"input": turn, "conversation_id": probe.probe_id} for turn in parts["turns"]]
    fields = {f"{name}s": [parts[name]] for name in ("document", "tool_result") if name in parts}
    return [{"input": parts.get("input", probe.attack.text)} | fields]


def schedule(
    settings: Settings, url: str, probes: Callable[[int], Sequence[Probe]], every: float, rounds: int | None,
    *, structured: bool = False,
) -> Iterator[list[Answer]]:  # fmt: skip
    """Send the attacks of the round that the clock says, now and at the begin of each one that follows.

    Parameters
    ----------
    probes
        The attacks of a round, by its number.
    every
        Seconds between the begins of two rounds.
    rounds
        How many; None goes on.
    """
    number = int(time.time() // every)
    done = 0
    while True:
        yield attack(settings, url, probes(number), structured=structured)
        done, number = done + 1, max(number + 1, int(time.time() // every))
        if done == rounds:
            return
        time.sleep(max(0.0, number * every - time.time()))


def publish(settings: Settings, events: Sequence[Inference]) -> int:
    """Publish the events of attacks that were judged offline, and return how many."""
    return send_all(settings, INFERENCE, [_message(settings, event) for event in events])


def _message(settings: Settings, event: Inference) -> Message:
    return message(settings, INFERENCE, event, event.probe_id or event.event_id)


def _post(url: str, probe: Probe, posted: Sequence[dict[str, Any]]) -> Answer:
    """Return how the last request of an attack ended, or the first that nobody answered."""
    text = ""
    for body in posted:
        try:
            answer = requests.post(url, json=body, headers={HEADER: probe.probe_id}, timeout=SECONDS)
        except requests.Timeout:
            return Answer(probe, "time-out", reached=False)
        except requests.RequestException as error:
            return Answer(probe, type(error).__name__, reached=False)
        text = str(answer.status_code)
        if answer.status_code >= requests.codes.server_error or answer.status_code in UNANSWERED:
            return Answer(probe, text, reached=False)
    return Answer(probe, text, reached=True)
