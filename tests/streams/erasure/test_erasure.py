"""Who is erased is named nowhere in the store afterwards, also after a replay, and every sum stays what it was."""

import asyncio
import json
import time
from datetime import UTC, datetime
from functools import partial

import pytest
from pydantic import SecretStr

from schemas.erasures import Erasure
from schemas.events import AgentStep, GuardVerdict, Inference
from schemas.incidents import IncidentEvidence
from schemas.reviews import ReviewLabel
from schemas.topics import DEAD_LETTERS, ERASURES, EVIDENCE, INFERENCE, REVIEWS, WINDOWS
from schemas.wire import encode
from streams.api.erasures import Asked, erasure
from streams.audit.log import of
from streams.audit.published import send
from streams.erasure.keeper import Eraser
from streams.erasure.subjects import Keyed
from streams.health.problems import PROBLEMS
from streams.kafka.publisher import Message
from streams.kafka.sending import send_all
from streams.store.client import connect, rows
from streams.verify.run import Verifier
from tests.streams.events.test_flags import guard
from tests.support.audit import entries
from tests.support.both_paths import START_NANO, commit, history, watch

pytestmark = pytest.mark.store

MARKERS = {"user": "u-märker-4711", "session": "s-marker-0815", "tenant": "t-marker-2342"}
READ = (INFERENCE, WINDOWS, REVIEWS, EVIDENCE, ERASURES, DEAD_LETTERS)
SUMS = ("service_minutes", "service_hours", "stage_minutes", "category_minutes", "counted_minutes", "window_minutes")


def event(number, kind=Inference, **fields):
    """Return an event of the one who is erased, or of another where fields say so."""
    own = {
        "event_id": f"e{number}", "source": "s", "service_name": "shop", "model_version": "m@1",
        "time_unix_nano": START_NANO + number * 9 * 10**9, "user_pseudo_id": MARKERS["user"],
        "session_id": MARKERS["session"], "tenant_id": MARKERS["tenant"], "labels": {"asked_by": MARKERS["user"]},
    }  # fmt: skip
    if kind is GuardVerdict:
        return GuardVerdict(**own | fields, guard=guard("content.ncr"))
    return kind(**own | fields, guards=[guard("content.ncr")], input_text=f"I am {MARKERS['user']}", duration_ms=5.0)


def records(settings):
    """Yield what somebody is named in: events, one that is refused, a label, evidence."""
    other = {"user_pseudo_id": "other", "session_id": "others", "tenant_id": "t-other", "labels": {}}
    for number in range(40):
        kind = GuardVerdict if number % 10 == 9 else Inference
        yield INFERENCE, encode(event(number, kind, **(other if number % 2 else {})))
    yield INFERENCE, json.dumps({"service_name": "shop", "user_pseudo_id": MARKERS["user"], "session_id":
                                 MARKERS["session"], "tenant_id": MARKERS["tenant"]}).encode()  # fmt: skip
    yield INFERENCE, encode(AgentStep(
        event_id="m1", source="s", service_name="shop", time_unix_nano=START_NANO + 10**9, step_kind="memory",
        user_pseudo_id=MARKERS["user"], session_id=MARKERS["session"], memory_action="write",
        memory_ids=[f"note of {MARKERS['user']}"],
    ))  # fmt: skip
    said = {"source": "s", "service_name": "shop", "time_unix_nano": START_NANO}
    yield REVIEWS, encode(ReviewLabel(
        **said, event_id="l1", target_event_id="e0", evaluation_name="safety", label="unsafe", annotator_kind="human",
        sampling_method="random", sampling_probability=0.5, explanation_ref="they say who they are",
    ))  # fmt: skip
    bundle = {"contributors": [{"dimension": "user", "name": MARKERS["user"]}], "sql": f"= '{MARKERS['tenant']}'",
              "tenant_id": MARKERS["tenant"], "session_id": MARKERS["session"]}  # fmt: skip
    yield EVIDENCE, encode(IncidentEvidence(
        **said, event_id="b1", incident_id="i1", moment="opening", bundle=json.dumps(bundle), complete=True,
    ))  # fmt: skip


def found(client):
    """Return every column of every table that holds one of the markers, as text or as JSON escapes it."""
    query = (
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND table IN (SELECT name FROM "
        "system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND NOT startsWith(name, '.'))"
    )
    columns = {}
    for table, name in rows(client, query):
        columns.setdefault(table, []).append(name)
    forms = [form for each in MARKERS.values() for form in (each, json.dumps(each)[1:-1])]
    places = []
    for table, names in columns.items():
        sums = ", ".join(f"countIf(multiSearchAny(toString({name}), {{forms:Array(String)}}))" for name in names)
        [counts] = rows(client, f"SELECT {sums} FROM {table}", {"forms": forms})
        places += [f"{table}.{name}" for name, count in zip(names, counts, strict=True) if count]
    return places


def sums(client):
    """Return all sums without tenants and versions."""
    return {
        name: rows(client, f"SELECT * EXCEPT version REPLACE(0 AS tenant_id) FROM {name} FINAL ORDER BY ALL")
        if name in ("service_minutes", "service_hours", "stage_minutes", "category_minutes")
        else rows(client, f"SELECT * EXCEPT version FROM {name} FINAL ORDER BY ALL")
        for name in SUMS
    }


def test_nobody_finds_who_was_erased(kafka_settings, store_settings, client):
    """In no column of any table is user, session or tenant, nor in the audit log; a replay brings none of them back."""
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    settings = kafka_settings.model_copy(update=store | {"hash_key": SecretStr("k" * 32)})
    for topic, value in records(settings):
        send_all(settings, topic, [Message(settings.topic(topic.name), value, b"k")])
    asyncio.run(watch(settings))
    asyncio.run(history(settings, READ))
    commit(settings)
    before = sums(client), Verifier(settings, None, None).run()
    places = found(client)
    assert set(places) >= {
        "inferences.user_pseudo_id", "guard_verdicts.session_id", "service_minutes.tenant_id", "dead_letters.value",
        "incident_evidence.bundle", "windows.tenant_id", "inferences.labels", "inferences.input_text",
        "agent_steps.memory_ids",
    }  # fmt: skip
    for subject, value in MARKERS.items():
        asked = Asked(subject=subject, value=value, reason="asked for it", actor="kim")
        send(settings, ERASURES, erasure(asked, Keyed(settings), time.time_ns()), subject)
    asyncio.run(history(settings, [ERASURES]))
    Eraser(settings, partial(connect, settings), lambda _: None).look()
    assert rows(client, "SELECT count(), min(changed) > 0 FROM erasure_runs") == [(3, 1)]
    assert found(client) == []
    assert sums(client) == before[0]
    assert rows(client, "SELECT label, explanation_ref FROM review_labels FINAL") == [("unsafe", "")]
    assert rows(client, "SELECT count() FROM inferences FINAL WHERE user_pseudo_id = 'other'") == [(16,)]
    for name in ("inferences", "guard_verdicts", "incident_evidence", "dead_letters", "window_messages", "windows",
                 "agent_steps", "review_labels"):  # fmt: skip
        client.command(f"TRUNCATE TABLE {name}")
    asyncio.run(history(settings, READ))
    assert [place for place in found(client) if not place.startswith("review_labels")] == []
    assert (sums(client), Verifier(settings, None, None).run()) == before
    written = entries(of(settings))
    assert [each["kind"] for each in written] == ["begun", *["erasure"] * 3, *["erased"] * 3]
    assert not any(value in json.dumps(written, ensure_ascii=False) for value in MARKERS.values())


def test_what_comes_to_pass_afterwards_is_not_meant(store_settings, client):
    """Somebody who was erased and comes back is stored again; the second look finds what was on its way."""
    settings = store_settings.model_copy(update={"hash_key": SecretStr("k" * 32)})
    keyed, clock = Keyed(settings), [1_800_000_000]
    made = erasure(Asked(subject="user", value="u-1", reason="why", actor="kim"), keyed, 1_790_000_000 * 10**9)
    at = made.time_unix_nano // 10**9
    asked = {
        "event_id": made.event_id, "time": datetime.fromtimestamp(at, UTC), "subject": "user",
        "subject_hash": made.subject_hash, "key_id": made.key_id,
    }  # fmt: skip
    client.insert("erasures", [list(asked.values())], column_names=list(asked))
    insert = "INSERT INTO inferences (event_id, time, user_pseudo_id, kafka_offset) VALUES"
    client.command(f"{insert} ('a', {at - 1}, 'u-1', 1), ('b', {at + 1}, 'u-1', 2), ('c', {at - 1}, 'u-10', 3)")
    eraser = Eraser(settings, partial(connect, settings), lambda _: None, lambda: clock[0])
    named = "SELECT event_id, user_pseudo_id FROM inferences FINAL ORDER BY event_id"
    assert eraser.look() == 1
    instead = f"~{made.subject_hash[:16]}"
    assert rows(client, named) == [("a", instead), ("b", "u-1"), ("c", "u-10")]
    client.command(f"{insert} ('d', {at - 1}, 'u-1', 4)")
    assert eraser.look() == 0
    clock[0] += 60
    assert eraser.look() == 1
    assert rows(client, named)[3] == ("d", instead)
    assert rows(client, "SELECT changed FROM erasure_runs ORDER BY ran_at") == [(1,), (1,)]


def test_an_hour_in_which_the_store_was_away_is_over_where_nobody_is_to_be_erased(store_settings, client):
    """The worker says that it can't erase while it can't look, and no longer."""
    PROBLEMS.note("erasure", "what was to be erased can't be now")
    assert Eraser(store_settings, partial(connect, store_settings), lambda _: None).look() == 0
    assert "erasure" not in PROBLEMS.current()


def test_a_reason_that_names_who_it_is_is_refused(tmp_path):
    """The reason is kept, so it may not say the value; the record holds its keyed hash alone."""
    from streams.settings import load

    keyed = Keyed(load(data_dir=tmp_path))
    with pytest.raises(ValueError, match="names who"):
        erasure(Asked(subject="user", value="u-17", reason="u-17 asked"), keyed, START_NANO)
    made = erasure(Asked(subject="user", value="u-17", reason="asked", actor="kim"), keyed, START_NANO)
    assert isinstance(made, Erasure)
    assert b"u-17" not in encode(made)
    assert made.subject_hash == Keyed(load(data_dir=tmp_path)).hash("user", "u-17")
    assert made.subject_hash != Keyed(load(data_dir=tmp_path, hash_key="another")).hash("user", "u-17")
    assert (tmp_path / "erasure-key").stat().st_mode & 0o777 == 0o600
