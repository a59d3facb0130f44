"""The normalise worker as a process, on what the Collector's exporter writes."""

import asyncio
import json
import signal
import uuid

import pytest
from aiokafka import AIOKafkaProducer
from google.protobuf.json_format import MessageToDict

from schemas.events import Event, Inference
from schemas.topics import INFERENCE, OTLP_LOGS, OTLP_SPANS
from schemas.wire import decoder
from streams.kafka.letters import read_letters
from streams.kafka.topics import create_topics
from streams.settings import load
from tests.faults.fleet import Worker
from tests.faults.log import log
from tests.support.receiver import calls_request, trace_id
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

decode = decoder(Event)
WAIT = "2"


@pytest.fixture(scope="module")
def settings(broker, tmp_path_factory):
    """Topics of their own."""
    folder = tmp_path_factory.mktemp("normalise")
    made = load(kafka=broker, topic_prefix=f"n{uuid.uuid4().hex[:8]}.", data_dir=folder, kafka_session_seconds=3)
    create_topics(made)
    return made


@pytest.fixture(scope="module")
def worker(settings):
    """A running worker with little patience."""
    given = {"KAFKA": settings.kafka, "TOPIC_PREFIX": settings.topic_prefix, "ROOT_WAIT_SECONDS": WAIT,
             "KAFKA_SESSION_SECONDS": "3"}  # fmt: skip
    running = Worker("normalise", 0, given, settings.data_dir)
    running.start()
    yield running
    running.end(signal.SIGTERM)
    assert "Traceback" not in running.words()


def send(settings, values, topic=OTLP_SPANS, compression=None, key=b"k", partition=None):
    """Write records as an exporter would."""

    async def sent():
        async with AIOKafkaProducer(bootstrap_servers=settings.kafka, compression_type=compression) as producer:
            name = settings.topic(topic.name)
            await asyncio.gather(*[await producer.send(name, value, key, partition=partition) for value in values])

    asyncio.run(sent())


def made(settings, service):
    """Return the records and events of a service."""
    found = [
        (record, decode(record.value, 2**62))
        for records in log(settings, INFERENCE).values() for record in records
    ]  # fmt: skip
    return [(record, event) for record, event in found if event.service_name == service]


def as_json(request):
    """Return a request as OTLP's JSON, which has its ids in hexadecimal."""
    whole = MessageToDict(request)
    for resource in whole["resourceSpans"]:
        for span in (span for scope in resource["scopeSpans"] for span in scope["spans"]):
            original = next(s for r in request.resource_spans for c in r.scope_spans for s in c.spans)
            span["traceId"], span["spanId"] = original.trace_id.hex(), original.span_id.hex()
    return json.dumps(whole).encode()


@pytest.mark.parametrize(("compression", "trace"), [(None, 1), ("gzip", 2), ("zstd", 3), ("snappy", 4), ("lz4", 5)])
def test_the_encodings_of_the_exporter_give_the_same_event(worker, settings, compression, trace):
    """Protobuf and JSON of one span, however compressed, are one event with one id, sent once, keyed by session."""
    service = f"same-{compression}"
    request = calls_request([{"trace": trace, "number": 7, "session__id": "s-1"}], service)
    send(
        settings, [request.SerializeToString(), as_json(request), request.SerializeToString()], compression=compression
    )
    wait_until(lambda: made(settings, service))
    send(settings, [calls_request([{"trace": 50 + trace, "number": 8}], service).SerializeToString()])
    wait_until(lambda: len(made(settings, service)) > 1)
    (record, event), _ = sorted(made(settings, service), key=lambda item: item[1].usage_input_tokens)
    assert isinstance(event, Inference)
    assert (event.session_id, event.usage_input_tokens, event.request_model) == ("s-1", 7, "gpt-4o")
    assert record.key == b"s-1"
    assert dict(record.headers)["ce_id"].decode() == event.event_id
    assert len(made(settings, service)) == 2


def test_a_child_that_comes_first_waits_for_its_root(worker, settings):
    """The session that the root alone knows is the child's; one whose root never comes is sent without it."""
    child = calls_request([{"trace": 300, "number": 2, "parent": 1}, {"trace": 301, "number": 4, "parent": 3}], "wait")
    send(settings, [child.SerializeToString()], partition=1)
    root = calls_request([{"trace": 300, "number": 1, "gen_ai__operation__name": "invoke_agent", "session__id": "s-9",
                           "gen_ai__agent__name": "clerk"}], "wait")  # fmt: skip
    send(settings, [root.SerializeToString()], partition=1)
    wait_until(lambda: len(made(settings, "wait")) == 3)
    sessions = {event.usage_input_tokens: event.session_id
                for _, event in made(settings, "wait") if isinstance(event, Inference)}  # fmt: skip
    assert sessions == {2: "s-9", 4: None}


def test_what_is_no_otlp_is_a_dead_letter_and_costs_nobody_else(worker, settings):
    """Garbage, truncated protobuf and JSON of another shape are kept with their reason; the rest goes on."""
    good = calls_request([{"trace": 400, "number": 1}], "beside").SerializeToString()
    bad = [b"\xff\xff", good[:-4], b"[]", b'{"a": [' * 40_000, b"\x00" * 100]
    send(settings, [*bad, good], partition=2)
    send(settings, bad[:1], OTLP_LOGS, partition=2)
    wait_until(lambda: len(made(settings, "beside")) == 1)
    wait_until(lambda: len(read_letters(settings)) == len(bad) + 1)
    letters = read_letters(settings)
    assert {letter.headers["reason"] for letter in letters} == {"not_otlp"}
    assert {letter.headers["origin-topic"] for letter in letters} == {
        settings.topic(OTLP_SPANS.name), settings.topic(OTLP_LOGS.name)
    }  # fmt: skip


def test_killed_again_and_again_each_span_is_one_event(worker, settings):
    """However a worker is killed while spans come, each is out once: none lost, none doubled, roots known."""
    number = 0
    for killed in range(1, 4):
        for _ in range(5):
            batch = []
            for _ in range(20):
                number += 1
                batch.append(calls_request([{"trace": 1_000 + number, "number": 2 * number, "parent": 2 * number + 1}],
                                           "killed").SerializeToString())  # fmt: skip
                root = {"trace": 1_000 + number, "number": 2 * number + 1, "session__id": f"s-{number}",
                        "gen_ai__operation__name": "invoke_agent", "gen_ai__agent__name": "clerk"}  # fmt: skip
                batch.append(calls_request([root], "killed").SerializeToString())
            send(settings, batch, key=trace_id(number).hex().encode())
        worker.signal(signal.SIGKILL)
        worker.process.wait()
        worker.start()
        wait_until(lambda seen=killed * 100: len({e.event_id for _, e in made(settings, "killed")}) >= seen)
    wait_until(lambda: len({event.event_id for _, event in made(settings, "killed")}) == 2 * number)
    events = [event for _, event in made(settings, "killed")]
    assert len(events) == 2 * number
    calls = [event for event in events if isinstance(event, Inference)]
    assert {event.session_id for event in calls} == {f"s-{at}" for at in range(1, number + 1)}
    assert sum(event.usage_input_tokens for event in calls) == sum(2 * at for at in range(1, number + 1))
