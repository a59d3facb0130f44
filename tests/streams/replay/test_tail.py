"""What a service sent can be followed in Kafka, a line each, without what anybody wrote."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from kafka import KafkaProducer

from schemas.emitter import Emitter
from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval, Telemetry
from schemas.guards import GuardFinding, GuardResult
from schemas.topics import INFERENCE
from schemas.wire import encode
from streams.kafka.topics import client_arguments
from streams.replay.line import event_line
from streams.replay.tail import record_line, tail

AT = 1_770_000_000_000_000_000
KNOWN = {"event_id": "e", "source": "s", "time_unix_nano": AT, "service_name": "chat", "session_id": "s1"}
FOUND = GuardFinding(category="content.vcr", native_category="S1")
BLOCK = GuardResult(guard_name="g", layer="output", status="ok", verdict="block", action="blocked", findings=[FOUND])
BROKEN = GuardResult(guard_name="h", layer="input", status="timeout")
HOUR_AGO = timedelta(hours=1)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            Inference(**KNOWN, request_model="gpt-4o", outcome="blocked", usage_input_tokens=7, duration_ms=12.6,
                      input_text="secret", output_text="secret", guards=[BLOCK, BROKEN]),
            "call e session=s1 gpt-4o blocked 7+0tok 13ms | g output block/blocked content.vcr | h input timeout",
        ),
        (
            AgentStep(**KNOWN, step_kind="execute_tool", tool_name="mail", authorization="denied", error_type="E"),
            "step e session=s1 execute_tool mail denied error=E",
        ),
        (Retrieval(**KNOWN, data_source_id="kb", returned_count=3), "search e session=s1 kb documents=3"),
        (
            GuardVerdict(**KNOWN, target_event_id="e0", guard=BLOCK),
            "verdict e session=s1 of=e0 | g output block/blocked content.vcr",
        ),
        (
            Telemetry(**KNOWN, dropped=2, reasons={"queue_full": 2}),
            "telemetry e session=s1 dropped=2 queue_full=2",
        ),
    ],
)  # fmt: skip
def test_an_event_is_one_line(event, line):
    """What it is, what happened, what each guard said; no text, though the event has some."""
    assert event_line(event) == f"2026-02-02 02:40:00.000 {line}"


def test_a_name_can_not_steer_the_terminal():
    """Control characters and turns of direction are shown as such, and a name of no end is cut."""
    line = event_line(Inference(**KNOWN | {"session_id": "\x1b[2J\u202e" + "x" * 300}))
    assert "\x1b" not in line
    assert "\u202e" not in line
    assert len(line) < 150


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (b'{"event_type":"ai.safety.inference.v1","service_name":"chat"}', "refused invalid: Object missing"),
        (b'{"service_name":"other"}', None),
        (b"no json", None),
        (encode(Telemetry(**KNOWN)), None),
        (encode(Inference(**KNOWN | {"service_name": "other"})), None),
    ],
)
def test_only_what_is_the_services_own_is_shown(record, line):
    """A refused record has its reason where it names the service; marks of time and other services have no line."""
    said = record_line(record, AT // 1_000_000, "chat")
    assert said is None if line is None else said.startswith(line)


def test_the_command_shows_what_a_service_sent(kafka_settings):
    """From a time on, a service alone or all with their names, refused records among them; and it ends."""
    with Emitter.to_kafka(
        kafka_settings.kafka, source="shop", service_name="chat", topic=kafka_settings.topic(INFERENCE.name)
    ) as emitter:
        emitter.inference(session_id="s1", outcome="success")
        emitter.inference(session_id="s2", service_name="other")
        emitter.check()
    producer = KafkaProducer(**client_arguments(kafka_settings))
    producer.send(kafka_settings.topic(INFERENCE.name), value=b'{"service_name":"chat"}')
    producer.close()
    since = datetime.now(UTC) - HOUR_AGO
    own = list(tail(kafka_settings, "chat", since, follow=False))
    assert {("session=s1 completed" in line, line.startswith("refused invalid")) for line in own} == {
        (True, False), (False, True),
    }  # fmt: skip
    everybody = list(tail(kafka_settings, None, since, follow=False))
    assert sorted(line.split()[0] for line in everybody) == ["chat", "other", "refused"]
    assert list(tail(kafka_settings, "chat", None, follow=False)) == []
    done = subprocess.run(
        [sys.executable, "-m", "streams", "tail", "--service", "chat", "--since", "1h", "--limit", "1"],
        env={"WATCHKEEPER_KAFKA": kafka_settings.kafka, "WATCHKEEPER_TOPIC_PREFIX": kafka_settings.topic_prefix,
             "PYTHONPATH": "."},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    [line] = done.stdout.splitlines()
    assert line in own
