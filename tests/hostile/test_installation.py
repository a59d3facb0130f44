"""Running workers under all of it at once: none of them ends, and what is good is stored and counted."""

import pytest
from kafka import KafkaProducer

from schemas.topics import INFERENCE, WINDOWS
from schemas.wire import encode
from streams.kafka.letters import read_letters
from streams.kafka.topics import check_topics
from streams.store.ask import ask_rows as rows
from tests.hostile.windows import window
from tests.streams.test_workers import count, inference
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults


def deep(number, levels):
    """Return a record that is good but for a field that is so deep."""
    return (
        encode(inference(number)).replace(b'"chat"', b'"rogue"')[:-1] + b',"x":' + b"[" * levels + b"]" * levels + b"}"
    )


def test_hostile_records_end_no_worker_and_harm_no_neighbour(installation):
    """Deep records, hundreds of refused ones, junk and forgeries among the windows: the same processes work on."""
    settings = installation.settings
    topic, windows = settings.topic(INFERENCE.name), settings.topic(WINDOWS.name)
    source = check_topics(settings, [INFERENCE])[topic]
    before = [child.process.pid for child in installation.supervisor._children]
    producer = KafkaProducer(bootstrap_servers=settings.kafka, max_request_size=2_000_000)
    made_of = {"source_topic": topic, "source_topic_id": source.topic_id, "tick_seconds": settings.tick_seconds}
    for forged in (window(tick=2**50, **made_of), window(source_partitions=9_999, **made_of)):
        producer.send(windows, value=encode(forged), partition=0)
    for number in range(12):
        producer.send(windows, value=b"junk %d" % number, partition=number % 2)
    for levels in (5_000, 20_000):
        producer.send(topic, value=deep(levels, levels), partition=0)
    for number in range(600):
        producer.send(topic, value=encode(inference(number)), partition=number % 4)
        producer.send(topic, value=encode(inference(number)).replace(b'"chat"', b'"rogue"').replace(b'"test"', b"7"),
                      partition=number % 4)  # fmt: skip
    producer.close()
    wait_until(lambda: count(settings, "SELECT count() FROM inferences") == 600)
    wait_until(lambda: count(settings, "SELECT count() FROM dead_letters FINAL") == 616)
    counted = "SELECT sum(events) FROM (SELECT * FROM windows FINAL WHERE metric = 'error' AND service_name = 'chat')"
    wait_until(lambda: count(settings, counted) == 600)
    told = (
        "SELECT count() FROM findings FINAL WHERE kind = 'telemetry' AND service_name = 'rogue' AND severity = 'page'"
    )
    wait_until(lambda: count(settings, told) == 1)
    found = rows(settings, "SELECT DISTINCT service_name, verdict FROM findings FINAL WHERE kind = 'telemetry'")
    assert {tuple(row.values()) for row in found} == {("rogue", "refused"), ("watchkeeper", "intruded")}
    reasons = [letter.headers["reason"] for letter in read_letters(settings)]
    assert {name: reasons.count(name) for name in set(reasons)} == {
        "too_deep": 2, "invalid": 600, "not_json": 12, "implausible": 2,
    }  # fmt: skip
    assert before == [child.process.pid for child in installation.supervisor._children]
    assert all(child.process.poll() is None for child in installation.supervisor._children)
