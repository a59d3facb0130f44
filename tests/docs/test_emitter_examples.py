"""The examples of the emitter do what they say: asynchronous calls, workers that fork, TLS with a password."""

import pytest

from schemas.events import Event
from schemas.reviews import ReviewLabel
from schemas.topics import INFERENCE, REVIEWS
from schemas.wire import decoder
from streams.kafka.topics import create_topics
from streams.settings import load
from tests.docs.provider import provider
from tests.docs.running import run
from tests.docs.secure import PASSWORD, SecureBroker
from tests.faults.log import log

decode = decoder(Event | ReviewLabel)


@pytest.fixture
def topics(broker):
    """The broker with the topics under their own names, as an installation has them."""
    settings = load(kafka=broker)
    create_topics(settings)
    return settings


def newest(settings, count, topic=INFERENCE):
    """Return the newest events of a topic."""
    found = sorted(
        (record for records in log(settings, topic).values() for record in records), key=lambda one: one.timestamp
    )
    return [decode(record.value, 2**62) for record in found[-count:]]


def test_asynchronous_calls_are_observed_and_their_users_heard(topics):
    """Two calls at once have an event each, with duration and reason, and a judgement of the user under its id."""
    with provider(["It is open.", "It is closed."]) as address:
        said = run("observe_async.py", topics.kafka, "Open?", "Closed?", OPENAI_BASE_URL=address, OPENAI_API_KEY="k")
    assert said == ["all arrived"]
    calls, judged = newest(topics, 2), newest(topics, 2, REVIEWS)
    assert {call.response_id for call in calls} == {"answer-1", "answer-2"}
    assert {(call.finish_reason_norm, call.duration_ms > 0) for call in calls} == {("stop", True)}
    assert {one.target_event_id for one in judged} == {call.event_id for call in calls}
    assert {one.score for one in judged} == {1.0}


def test_workers_that_fork_send_through_the_emitter_of_their_parent(topics):
    """The parent's event and one of each worker arrive, each once."""
    assert sorted(run("fork_workers.py", topics.kafka)) == ["worker 0: arrived", "worker 1: arrived"]
    assert {event.session_id for event in newest(topics, 3)} == {"parent", "worker-0", "worker-1"}
    assert {event.outcome for event in newest(topics, 3)} == {None, "completed"}


@pytest.mark.kafka
def test_events_go_over_tls_with_a_password(tmp_path):
    """They arrive at a broker that wants both; with a wrong password the check says what to look at."""
    broker = SecureBroker(tmp_path)
    broker.start()
    try:
        settings = load(kafka=broker.address)
        create_topics(settings)
        run("send_secure.py", broker.secure, broker.authority, KAFKA_PASSWORD=PASSWORD)
        assert [event.session_id for event in newest(settings, 1)] == ["s1"]
        with pytest.raises(AssertionError, match="address, security_protocol and password"):
            run("send_secure.py", broker.secure, broker.authority, KAFKA_PASSWORD="wrong")  # noqa: S106
    finally:
        broker.stop()
