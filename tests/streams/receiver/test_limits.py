"""A sender of OTLP who sends too much, or guesses the token, is told when to send again."""

import time

import pytest

from schemas.topics import OTLP_SPANS
from streams.kafka.topics import create_topics
from streams.settings import load
from tests.faults.log import log
from tests.support.receiver import TOKEN, ReceiverProcess, trace_id, trace_request

pytestmark = pytest.mark.faults

A_MINUTE = 20


@pytest.fixture(scope="module")
def receiver(broker, tmp_path_factory):
    """A receiver that takes so many requests a minute of an address."""
    settings = load(kafka=broker, topic_prefix="paced.", data_dir=tmp_path_factory.mktemp("paced"))
    create_topics(settings)
    running = ReceiverProcess(settings, OTLP_TOKEN=TOKEN, OTLP_REQUESTS_A_MINUTE=A_MINUTE, LOCKOUT_TRIES=3).start()
    yield running
    assert running.stop() == 0


def test_what_is_answered_429_is_taken_when_it_is_sent_again(receiver):
    """As clients of OTLP do: after `Retry-After` the same request is answered 200, and nothing is lost."""
    refused, sent = 0, 0
    while not refused:
        sent += 1
        while (answer := receiver.post(trace_request([(sent, 1, "a")]).SerializeToString())).status_code == 429:
            refused += 1
            assert b"requests a minute" in answer.content
            time.sleep(int(answer.headers["Retry-After"]))
        assert answer.status_code == 200
    assert sent > A_MINUTE
    keys = {record.key for records in log(receiver.settings, OTLP_SPANS).values() for record in records}
    assert keys == {trace_id(number).hex().encode() for number in range(1, sent + 1)}
    assert f'watchkeeper_turned_away_total{{code="429",door="otlp"}} {refused}.0' in receiver.metrics()


def test_who_guesses_the_token_waits(receiver):
    """After three wrong ones the next is not looked at; all of them are counted."""
    answers = [receiver.post(b"", token=f"wrong {each}") for each in range(4)]
    assert [each.status_code for each in answers] == [401] * 3 + [429]
    assert 'watchkeeper_failed_sign_ins_total{door="otlp"} 4.0' in receiver.metrics()
