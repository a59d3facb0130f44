"""Services with instrumentations from the shelf are watched with two environment variables, and their counts are right.

Each runs as a process, asks a provider on loopback and exports with OpenTelemetry's own SDK. What the provider has
answered is the truth; what no span says is unknown, never guessed.
"""

import os
import subprocess
import uuid
from collections import Counter

import pytest
import requests

from schemas.events import Event, Inference
from schemas.topics import INFERENCE
from schemas.wire import decoder
from streams.kafka.topics import create_topics
from streams.local.broker import die_with_parent, free_port
from streams.settings import load
from tests.faults.fleet import Worker
from tests.faults.log import log
from tests.real.clients.environment import SERVICE, clients_python
from tests.real.clients.provider import USAGE, provider
from tests.support.receiver import ReceiverProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

decode = decoder(Event)
GPT = ("plain", "stream", "tool", "streamtool", "refusal", "filter", "denied", "busy")
ANSWERED = ["plain", "stream", "tool", "answered", "streamtool", "answered", "refusal", "filter", "later"]
CLAUDE = ("plain", "safe", "refusal", "busy")


@pytest.fixture(scope="module")
def watched(broker, tmp_path_factory):
    """A receiver and a normalise worker."""
    folder = tmp_path_factory.mktemp("clients")
    settings = load(kafka=broker, topic_prefix=f"c{uuid.uuid4().hex[:8]}.", data_dir=folder)
    create_topics(settings)
    receiver = ReceiverProcess(settings).start()
    worker = Worker("normalise", 0, {"KAFKA": broker, "TOPIC_PREFIX": settings.topic_prefix}, folder)
    worker.start()
    yield receiver
    worker.end(15)
    receiver.stop()


def ask(receiver, instrumentor, name, paths):
    """Run the service with an instrumentation, ask it, and return the events that it shows up with."""
    port = free_port()
    with provider() as address:
        own = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_SERVICE_NAME": name}
        given = os.environ | own | {"INSTRUMENTOR": instrumentor, "PROVIDER": address}
        process = subprocess.Popen(
            [clients_python(), SERVICE, str(port)], env=given,
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )  # fmt: skip
        try:
            wait_until(lambda: answers(process, port))
            for path in paths:
                assert requests.post(f"http://127.0.0.1:{port}/{path}", timeout=60).ok
            assert requests.post(f"http://127.0.0.1:{port}/flush", timeout=60).ok
        finally:
            process.terminate()
            process.wait()
    return lambda: events_of(receiver.settings, name)


def events_of(settings, name):
    """Return the events of a service."""
    found = (decode(record.value, 2**62) for records in log(settings, INFERENCE).values() for record in records)
    return [event for event in found if event.service_name == name]


def answers(process, port):
    """Tell whether the service answers; it must not have ended."""
    assert process.poll() is None
    try:
        return requests.get(f"http://127.0.0.1:{port}/docs", timeout=10).ok
    except requests.RequestException:
        return False


def sums(words):
    """Return the tokens in and out that the provider has answered to some words."""
    told = [USAGE[word] for word in words]
    return tuple(map(sum, zip(*told, strict=True)))


def calls_of(receiver, instrumentor, name, paths, count):
    """Return the calls of a service when there are so many; no more come."""
    events = ask(receiver, instrumentor, name, paths)
    wait_until(lambda: len(events()) >= count)
    found = events()
    assert len(found) == count
    assert all(isinstance(event, Inference) for event in found)
    return found


def tokens(calls):
    """Return the tokens in and out of calls that know them, and how many do not."""
    known = [call for call in calls if call.usage_input_tokens is not None]
    told = [(call.usage_input_tokens, call.usage_output_tokens) for call in known]
    return tuple(map(sum, zip(*told, strict=True))), len(calls) - len(known)


OPENAI = {
    "opentelemetry.instrumentation.openai_v2": {},  # a refusal of OpenAI's is in none of its attributes
    "openinference.instrumentation.openai": {"refused": 1},
    "opentelemetry.instrumentation.openai": {"refused": 1},
}


@pytest.mark.parametrize("library", OPENAI)
def test_a_service_on_openai_is_watched(watched, library):
    """Calls, streamed and awaited too, tokens, tools, both kinds of filter, the error, the refusal where it is said."""
    name = library.replace(".", "-")
    calls = calls_of(
        watched, f"{library}:OpenAIInstrumentor", name, [*(f"gpt/{word}" for word in GPT), "async/later"], 11
    )
    assert tokens(calls) == (sums(ANSWERED), 2)
    assert {call.request_model for call in calls} == {"gpt-4o"}
    assert {call.response_model for call in calls} == {"gpt-4o-2024-08-06", None}
    assert [call.error_type for call in calls if call.outcome == "error"] == ["RateLimitError"]
    assert Counter(call.finish_reason_norm for call in calls)["tool_call"] == 2
    outcomes = Counter(call.outcome for call in calls)
    refused = OPENAI[library].get("refused", 0)
    assert outcomes == {"completed": 8 - refused, "filtered": 2, "error": 1} | ({"refused": 1} if refused else {})
    assert not any(call.input_text or call.output_text for call in calls)


def test_a_service_on_anthropic_is_watched(watched):
    """Two spans of one call, the SDK's own and the instrumentation's, are one call; the refusal is one."""
    library = "openinference.instrumentation.anthropic:AnthropicInstrumentor"
    calls = calls_of(watched, library, "claude", [f"claude/{word}" for word in CLAUDE], 4)
    assert tokens(calls) == (sums(["plain", "safe", "refusal"]), 1)
    assert {call.request_model for call in calls} == {"claude-sonnet-4-5"}
    assert Counter(call.outcome for call in calls) == {"completed": 2, "refused": 1, "error": 1}
