"""The receiver's door for records of any dialect: what is answered with 200 is in Kafka, or told as refused."""

import gzip
import json
from pathlib import Path

import pytest
import requests

from schemas.topics import INFERENCE
from streams.kafka.topics import create_topics
from streams.settings import load
from tests.faults.log import log
from tests.support.receiver import TOKEN, ReceiverProcess

pytestmark = pytest.mark.faults

LOGGED = gzip.decompress((Path(__file__).parents[1] / "dialects/recorded/litellm.jsonl.gz").read_bytes()).splitlines()
FORMATS = {
    "json_array": lambda lines: [b"[" + b",".join(lines) + b"]"],
    "ndjson": lambda lines: [b"\n".join(lines)],
    "single": lambda lines: lines,
}


@pytest.fixture(scope="module")
def receiver(broker, tmp_path_factory):
    """A running receiver that wants a token."""
    settings = load(kafka=broker, topic_prefix="records.", data_dir=tmp_path_factory.mktemp("records"))
    create_topics(settings)
    running = ReceiverProcess(settings, OTLP_TOKEN=TOKEN).start()
    yield running
    assert running.stop() == 0


def post(receiver, body, token=TOKEN, **headers):
    given = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"} | headers
    return requests.post(f"{receiver.url}/v1/records", body, headers=given, timeout=60)


def stored(receiver):
    """Return the events on the topic, by id, each with its key and how often it is there."""
    found = {}
    for records in log(receiver.settings, INFERENCE).values():
        for record in records:
            event = json.loads(record.value)
            found.setdefault(event["event_id"], []).append((record.key.decode(), event))
    return found


def test_litellms_three_formats_give_the_same_events(receiver):
    """What its logger posts as an array, as lines or one by one is the same events under the same ids and keys."""
    lines, ids = LOGGED[:12], []
    for bodies in (form(lines) for form in FORMATS.values()):
        before = stored(receiver)
        for body in bodies:
            answer = post(receiver, body)
            assert (answer.status_code, answer.json()["refused"]) == (200, 0), answer.text
        after = stored(receiver)
        ids.append({name for name in after if len(after[name]) > len(before.get(name, ()))})
    assert len(ids[0]) == 12
    assert ids[0] == ids[1] == ids[2]
    for times in stored(receiver).values():
        assert len({json.dumps(each) for each in times}) == 1
        key, event = times[0]
        assert key == (event.get("session_id") or event["trace_id"])


def test_a_packed_body_is_taken(receiver):
    """As gzip says in its header."""
    answer = post(receiver, gzip.compress(LOGGED[20]), **{"Content-Encoding": "gzip"})
    assert answer.json() == {"records": 1, "events": 1, "refused": 0, "reasons": []}


def test_what_is_refused_is_told_and_the_rest_is_taken(receiver):
    """Unknown shapes, spans that have a door of their own, and events that the contract refuses, by their position."""
    spans = {"resourceSpans": [{"scopeSpans": []}]}
    timeless = {"run_type": "llm", "trace_id": "t"}
    answer = post(receiver, json.dumps([{"x": 1}, json.loads(LOGGED[30]), spans, timeless])).json()
    assert (answer["records"], answer["events"], answer["refused"]) == (4, 1, 3)
    assert [(one["record"], one["reason"]) for one in answer["reasons"]] == [
        (0, "unknown_dialect"), (2, "unknown_dialect"), (3, "invalid"),
    ]  # fmt: skip
    assert "/v1/traces" in answer["reasons"][1]["detail"]


def test_who_has_no_token_and_what_is_no_json_is_turned_away(receiver):
    """401 without the token, 400 for a body that is nothing, 415 for a packing that nobody knows."""
    assert post(receiver, LOGGED[0], token=TOKEN + "?").status_code == 401
    assert post(receiver, b"{").status_code == 400
    assert post(receiver, LOGGED[0], **{"Content-Encoding": "br"}).status_code == 415
