"""The examples of the emitter do what they say: asynchronous calls, workers that fork, TLS with a password."""

import subprocess
import sys
import time

import pytest
import requests
from openai import OpenAI

from schemas.events import Event
from schemas.reviews import ReviewLabel
from schemas.topics import INFERENCE, REVIEWS
from schemas.wire import decoder
from streams.kafka.topics import create_topics
from streams.local.broker import free_port
from streams.settings import load
from tests.docs.pages import blocks
from tests.docs.provider import provider
from tests.docs.running import EXAMPLES, ROOT, environment, run
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


def test_the_page_of_the_small_wheel_shows_code_that_works(topics):
    """Its block, run as it stands but for the address: the call is timed, counted and judged by the moderation."""
    [block] = blocks((ROOT / "schemas" / "README.md").read_text(), "python")
    made = {}
    exec(block.replace("watchkeeper_events", "schemas").replace("127.0.0.1:9092", topics.kafka), made)  # noqa: S102
    with provider(["It says: violence."]) as address:
        text, event_id = made["answer"](OpenAI(base_url=address, api_key="k"), "What is in it?", "page")
    assert made["emitter"].check(30).arrived
    made["emitter"].close()
    [call] = newest(topics, 1)
    assert (call.event_id, call.session_id, call.output_chars) == (event_id, "page", len(text))
    assert (call.usage_output_tokens, call.finish_reason_norm) == (7, "stop")
    assert [(one.guard_name, one.action, one.findings[0].category) for one in call.guards] == [
        ("openai-moderation", "none", "content.vcr")
    ]


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


SERVERS = {
    "gunicorn": ("gunicorn", "--preload", "-w", "2", "-k", "asgi", "-b", "127.0.0.1:{port}"),
    "uvicorn": ("uvicorn", "--workers", "2", "--port", "{port}"),
}


def served(address, number):
    """Return the process that answered, once the server is there."""
    for _ in range(300):
        try:
            return int(requests.get(f"http://{address}/answer/{number}", timeout=10).text)
        except requests.ConnectionError:
            time.sleep(0.2)
    raise AssertionError("the server did not come up")


@pytest.mark.kafka
@pytest.mark.parametrize("server", SERVERS)
def test_each_worker_of_a_web_server_sends_what_it_served(server, topics):
    """Forked by gunicorn or started by uvicorn: every event of all workers arrives, the last ones as they stop."""
    port = free_port()
    command = [part.format(port=port) for part in SERVERS[server]]
    process = subprocess.Popen([sys.executable, "-m", *command, "serve_workers:app"], cwd=EXAMPLES,
                               env=environment({"KAFKA": topics.kafka}), stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        pids, sessions = set(), []
        while len(pids) < 2 and len(sessions) < 400:
            sessions.append(f"{server}-{len(sessions)}")
            pids.add(served(f"127.0.0.1:{port}", sessions[-1]))
        assert len(pids) == 2
    finally:
        process.terminate()
        process.wait(60)
    sent = newest(topics, len(sessions))
    assert sorted(event.session_id for event in sent) == sorted(sessions)
    assert {(event.outcome, event.service_name) for event in sent} == {("completed", "assistant")}


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
