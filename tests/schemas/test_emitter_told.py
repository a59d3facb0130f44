"""What users say of answers, whether events arrived, and on whose name losses are booked."""

import pytest

from schemas.emitter import Emitter
from schemas.events import Event
from schemas.reviews import ReviewLabel
from schemas.topics import INFERENCE, REVIEWS
from schemas.wire import decoder
from streams.local.ports import free_port
from tests.faults.log import log

decode = decoder(Event | ReviewLabel)


def nowhere(*_):
    """Take a record, and do nothing with it."""


def in_topic(settings, topic):
    """Return the events of a topic."""
    return [decode(record.value, 2**62) for records in log(settings, topic).values() for record in records]


def to_topics_of(settings, **more):
    """Return an emitter of the test's own topics."""
    return Emitter.to_kafka(
        settings.kafka, source="shop", service_name="chat", topic=settings.topic(INFERENCE.name),
        reviews_topic=settings.topic(REVIEWS.name), **more,
    )  # fmt: skip


def test_a_users_opinion_goes_to_the_reviews_under_the_events_id(kafka_settings):
    """No administrator's token is needed; the judgement names the event, judges no safety, and has the user's score."""
    with to_topics_of(kafka_settings) as emitter:
        answered = emitter.inference(session_id="s")
        with emitter.observe(session_id="s") as call:
            pass
        emitter.feedback(answered, 0)
        emitter.feedback(call.event_id, 1.0, annotator_pseudo_id="u1", label="benign_blocked")
        assert emitter.check(30).arrived
    assert {event.event_id for event in in_topic(kafka_settings, INFERENCE)} == {answered, call.event_id}
    down, up = in_topic(kafka_settings, REVIEWS)
    assert (down.target_event_id, down.score, down.label, down.annotator_kind) == (
        answered, 0.0, "cannot_judge", "end_user",
    )  # fmt: skip
    assert (up.target_event_id, up.score, up.label, up.annotator_pseudo_id) == (
        call.event_id, 1.0, "benign_blocked", "u1",
    )  # fmt: skip
    assert (down.service_name, down.evaluation_name) == ("chat", "user_feedback")


@pytest.mark.parametrize("score", [-1, 1.5, float("nan"), "good", None])
def test_an_opinion_outside_of_its_scale_is_refused_and_counted(score):
    """Scores of stars or of percent would make the KPI nonsense; the service does not notice."""
    with Emitter(nowhere, source="shop") as emitter:
        assert emitter.feedback("e", score) is None
    assert emitter.counts.refused == 1


def test_a_service_can_ask_at_its_start_whether_the_connection_holds(kafka_settings):
    """Without events a mark of time is sent, which counts nowhere; with them they are waited for."""
    with to_topics_of(kafka_settings) as emitter:
        assert emitter.check(30).arrived
        emitter.inference(session_id="s")
        after = emitter.check(30)
    assert (after.arrived, after.waiting, after.problem, after.counts.emitted) == (True, 0, "", 2)
    [mark] = [event for event in in_topic(kafka_settings, INFERENCE) if type(event).__name__ == "Telemetry"]
    assert (mark.service_name, mark.emitted, mark.dropped) == ("chat", None, None)


@pytest.mark.kafka  # it looks for an address where nobody is
def test_an_event_that_has_not_arrived_is_named_with_what_keeps_it():
    """Kafka being away, and an event against the contract, each with its words."""
    with Emitter.to_kafka(f"127.0.0.1:{free_port()}", source="shop", sigterm=False) as away:
        away.inference(service_name="chat")
        said = away.check(2)
        away.close(0.2)
    assert (said.arrived, said.waiting) == (False, 1)
    assert said.problem.startswith("1 wait: ")
    with Emitter(nowhere, source="shop") as emitter:
        emitter.inference(service_name="chat", duration_ms=-1.0)
        said = emitter.check(5)
    assert (said.arrived, said.waiting, said.counts.refused) == (False, 0, 1)
    assert "contract 1" in said.problem
    assert "duration_ms" in said.problem


@pytest.mark.parametrize(
    ("own", "fields", "booked"),
    [
        (None, {"service_name": "chat", "duration_ms": -1.0}, "chat"),
        (None, {"service_name": "chat", "no_such_field": 1}, "chat"),
        ("chat", {"duration_ms": -1.0}, "chat"),
        (None, {"duration_ms": 1.0}, "shop/assistant"),
    ],
)
def test_losses_before_the_first_good_event_are_booked_on_the_services_name(own, fields, booked):
    """As the event names it or the emitter was told it; on the source only where nobody said it."""
    sent = []
    with Emitter(lambda *record: sent.append(record[1]), source="shop/assistant", service_name=own) as emitter:
        emitter.inference(**fields)
    [lost] = [decode(value, 2**62) for value in sent]
    assert (lost.service_name, lost.refused) == (booked, 1)


@pytest.mark.parametrize("name", ["", "x" * 300, 7])
def test_a_service_without_a_proper_name_is_refused_at_once(name):
    """That is an argument that can't be right."""
    with pytest.raises(ValueError, match="service_name"):
        Emitter(nowhere, source="shop", service_name=name)
