"""Whoever is named in a field that should name nobody is found in no table, topic or file that we write."""

import asyncio
import json
import time
from functools import partial

import msgspec
import pytest
from pydantic import SecretStr

from schemas.emitter import pseudonym
from schemas.fields import NANO
from schemas.pseudonyms import PATTERN
from schemas.topics import (
    ACTIONS,
    CHANGES,
    CHECKPOINTS,
    CONTROLS,
    DEAD_LETTERS,
    DELIVERIES,
    ERASURES,
    EVIDENCE,
    FINDINGS,
    INCIDENTS,
    INFERENCE,
    REVIEW_QUEUE,
    REVIEWS,
    TRIAGE,
    WINDOWS,
)
from schemas.triage import Triage
from streams.api.erasures import Asked, erasures
from streams.audit.published import send
from streams.erasure.keeper import Eraser
from streams.identifiers.guard import guard_of
from streams.intake.doctor import complaints, look_at_store
from streams.kafka.publisher import Message
from streams.kafka.sending import message, send_all
from streams.store.client import connect, rows
from streams.verify.run import Verifier
from tests.support.both_paths import START_NANO, commit, history, read, watch
from tests.support.incidents.process import Worker, transitions
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.store, pytest.mark.faults]

MAIL, PHONE, CARD = "kim.marker@example.org", "+49 30 901820", "4111 1111 1111 1111"
MARKERS = ("kim.marker", "901820", "30901820", "1111 1111")
SAID = f"no account of {MAIL}, call {PHONE}, card {CARD}"
READ = (INFERENCE, WINDOWS, FINDINGS, CHANGES, REVIEWS, REVIEW_QUEUE, CONTROLS, TRIAGE, INCIDENTS, ACTIONS, EVIDENCE,
        DELIVERIES, DEAD_LETTERS)  # fmt: skip
OURS = (WINDOWS, FINDINGS, INCIDENTS, EVIDENCE, REVIEW_QUEUE, CHECKPOINTS, DEAD_LETTERS)
"""Topics that our workers write, and nobody else here."""
GUARD = {"guard_name": "g", "layer": "output", "status": "ok", "verdict": "flag", "action": "none", "reason": SAID,
         "native_result_value": f"of {MAIL}", "findings": [{"category": "content.ncr", "severity": 4}]}  # fmt: skip


def said(kind, number, **fields):
    """Return a record of somebody who is named wherever the envelope can name somebody."""
    return {
        "event_type": f"ai.safety.{kind}.v1", "event_id": f"{kind}{number}", "source": "s", "service_name": "shop",
        "time_unix_nano": START_NANO + number * NANO, "user_pseudo_id": MAIL, "session_id": f"Kim <{MAIL.upper()}>",
        "conversation_id": PHONE, "tenant_id": MAIL, "labels": {"note": SAID},
    } | fields  # fmt: skip


def records(incident_id):
    """Yield a record of each kind that others may write, with somebody in each of its texts."""
    for number in range(60):
        plain = {"labels": None} if number % 2 else {}  # the one lane, and the other
        yield INFERENCE, said("inference", number, error_type=SAID, refusal_reason=f"of {MAIL}", guards=[GUARD],
                              content_ref=f"s3://texts/{MAIL}/1", model_version="m@1", **plain)  # fmt: skip
    step = {"step_kind": "execute_tool", "tool_name": "mail", "error_type": SAID, "guards": [GUARD]}
    yield INFERENCE, said("agent_step", 61, **step)
    documents = [{"id": "d", "source_uri": f"imap://{MAIL}/inbox"}]
    yield INFERENCE, said("retrieval", 62, documents=documents, guards=[GUARD])
    yield INFERENCE, said("guard_verdict", 63, guard=GUARD, target_event_id="inference1")
    yield INFERENCE, said("telemetry", 64, dropped=1, reason=SAID)
    change = {"change_id": "c", "subject_type": "model", "subject_name": "m", "action": "promoted", "to_version": "m@2"}
    yield CHANGES, said("change", 65, **change, reason=SAID, flag_reason=f"of {MAIL}", labels=None)
    label = {"target_event_id": "inference1", "evaluation_name": "safety", "label": "unsafe", "annotator_kind": "human",
             "sampling_method": "random", "sampling_probability": 0.5, "explanation_ref": SAID}  # fmt: skip
    yield REVIEWS, said("review_label", 66, **label)
    by = {"actor_kind": "human", "actor_id": "ann", "reason": SAID}
    yield CONTROLS, said("control", 67, control="pause", **by)
    yield TRIAGE, said("triage", 68, decision="real", finding_id="f", **by)
    yield ACTIONS, said("incident_action", 69, incident_id=incident_id, action="note", **by)
    delivery = {"incident_id": incident_id, "transition_event_id": "t", "receiver": "r", "status": "failed"}
    yield DELIVERIES, said("delivery", 70, **delivery, attempt=1, detail=f"550 {SAID}")


def write(settings, found):
    """Write records to Kafka as somebody does who knows nothing of us."""
    for topic, record in found:
        value = json.dumps({name: each for name, each in record.items() if each is not None}, separators=(",", ":"))
        send_all(settings, topic, [Message(settings.topic(topic.name), value.encode(), b"k")])


def places(client):
    """Return every column of every table that holds one of the markers."""
    query = ("SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table IN (SELECT name FROM "
             "system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')")  # fmt: skip
    condition = "countIf(multiSearchAnyCaseInsensitive(toString({}), {{forms:Array(String)}}))"
    found = []
    for table, name in rows(client, query):
        asked = f"SELECT {condition.format(name)} FROM `{table}`"
        if rows(client, asked, {"forms": list(MARKERS)}) != [(0,)]:
            found.append(f"{table}.{name}")
    return found


def stored(client):
    """Return all rows of events and of what was masked, in the order of the log."""
    tables = ("inferences", "agent_steps", "retrievals", "guard_verdicts", "telemetry", "masked_identifiers")
    return {name: rows(client, f"SELECT * FROM {name} FINAL ORDER BY ALL") for name in tables}


@pytest.fixture
def settings(kafka_settings, store_settings):
    """Settings of one installation, with a key of its own in the data folder."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    return kafka_settings.model_copy(update=store)


def acted_on(settings):
    """Have people and others speak of an incident, by HTTP and in Kafka, and return its page."""
    worker = Worker(settings).start()
    try:
        wait_until(lambda: worker.ask("GET", "").json()["incidents"])
        name = worker.ask("GET", "").json()["incidents"][0]["incident_id"]
        write(settings, [each for each in records(name) if each[0] is not INFERENCE])
        body = {"actor": "ann", "reason": SAID, "action_id": "once"}
        for _ in range(2):  # the second is known to be the same
            assert worker.ask("POST", f"/{name}/acknowledge", json=body).status_code == 200
        wait_until(lambda: {"noted", "acknowledged"} <= {each.transition for each in transitions(settings)})
        return worker.ask("GET", f"/{name}").text
    finally:
        worker.kill()


def test_nobody_is_found_in_what_we_write(settings, client):
    """Sent in every field there is, through watch, incidents and history: only Kafka's own log of others has it."""
    write(settings, [each for each in records("inc") if each[0] is INFERENCE])
    asyncio.run(watch(settings))
    page = acted_on(settings)
    assert not any(marker in page for marker in MARKERS)
    assert "no account of <EMAIL_ADDRESS>, call <PHONE_NUMBER>, card <CREDIT_CARD>" in page
    asyncio.run(history(settings, READ))
    commit(settings)
    assert places(client) == []
    for topic in OURS:
        for record in (record for batch in read(settings, topic) for record in batch.records):
            assert not any(marker.encode() in (record.key or b"") + (record.value or b"") for marker in MARKERS)
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert len(files) > 2
    assert [path for path in files if any(marker.encode() in path.read_bytes() for marker in MARKERS)] == []
    check_what_is_told(settings, client)
    check_again(settings, client)
    check_erasure(settings, client)


def check_what_is_told(settings, client):
    """One person is one person, and it is told which fields had what, but not which person."""
    [(person, persons, count)] = rows(
        client, "SELECT any(user_pseudo_id), uniqExact(user_pseudo_id), count() FROM inferences FINAL"
    )
    assert PATTERN.fullmatch(person)
    assert (persons, count) == (1, 60)
    assert rows(client, "SELECT uniqExact(session_id), any(session_id) FROM inferences FINAL") == [(1, person)]
    told = rows(client, "SELECT DISTINCT field, kind FROM masked_identifiers WHERE kafka_topic LIKE '%inference.v1'")
    assert {"user_pseudo_id", "session_id", "conversation_id", "tenant_id", "labels", "error_type", "refusal_reason",
            "content_ref", "guards.reason", "guards.native_result_value", "guard.reason", "reason",
            "guard.native_result_value", "documents.source_uri"} == {field for field, _ in told}  # fmt: skip
    assert {"EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD"} == {kind for _, kind in told}
    others = rows(client, "SELECT DISTINCT kafka_topic FROM masked_identifiers WHERE field IN ('reason', 'detail')")
    assert len(others) >= 6
    seen = [one for one in complaints(look_at_store(settings, 24)) if one.check == "identifiers"]
    assert any(one.evidence.endswith(" records of s have EMAIL_ADDRESS in user_pseudo_id") for one in seen)
    assert not any(marker in str(one) for one in seen for marker in MARKERS)


def check_again(settings, client):
    """What is read from the log again is stored as before, and both paths agree."""
    before = stored(client), Verifier(settings, None, None).run()
    assert before[1].equal
    for name in before[0]:
        client.command(f"TRUNCATE TABLE {name}")
    asyncio.run(history(settings, [INFERENCE, CHANGES, REVIEWS, CONTROLS, TRIAGE, ACTIONS, DELIVERIES, INCIDENTS]))
    assert (stored(client), Verifier(settings, None, None).run()) == before


def check_erasure(settings, client):
    """Who asks by an e-mail address is found under the pseudonym, also after the key was changed."""
    old = guard_of(settings).pseudonyms.key.decode()
    new = settings.model_copy(update={
        "pseudonym_key": SecretStr("another key of ours"), "pseudonym_key_before": SecretStr(old),
    })  # fmt: skip
    asked = Asked(subject="user", value=MAIL, reason="asked for it", actor="ann")
    made = erasures(asked, new, time.time_ns())
    assert len({each.subject_hash for each in made}) == 3
    for each in made:
        send(new, ERASURES, each, each.subject_hash)
    asyncio.run(history(new, [ERASURES]))
    Eraser(new, partial(connect, new), lambda _: None).look()
    left = rows(client, "SELECT substring(user_pseudo_id, 1, 1) AS begin, count() FROM inferences FINAL GROUP BY begin")
    assert left == [("~", 60)]


def test_what_people_and_translations_send_is_masked_before_kafka(tmp_path):
    """A reason travels without whom it names, an event also in its key; an unmasked one is the same bytes as ever."""
    from streams.settings import load

    settings = load(data_dir=tmp_path)
    triage = msgspec.convert(said("triage", 1, decision="real", finding_id="f", actor_kind="human", actor_id="ann",
                                  reason=SAID), Triage)  # fmt: skip
    sent = message(settings, TRIAGE, triage, "shop")
    assert not any(marker.encode() in sent.value for marker in MARKERS)
    assert pseudonym(MAIL, guard_of(settings).pseudonyms.key).encode() in sent.value
