"""The guard goes over every field that may name somebody, alike in both lanes of decoding."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from schemas import wire
from schemas.changes import Change
from schemas.events import AgentStep, Event, GuardVerdict, Inference, Retrieval
from schemas.pseudonyms import PATTERN, pseudonym
from schemas.wire import encode
from streams.events.decode import Decoder, events_decoder
from streams.identifiers.guard import OTHER_KEY, Guard, Seen
from streams.identifiers.keys import Pseudonyms
from streams.identifiers.plans import PLANS
from streams.identifiers.texts import usual
from streams.settings import load
from tests.streams.events.test_decode import NOW_MS, Record, dumps, event, same

MAIL, CARD = "kim@example.org", "4111 1111 1111 1111"
GUARD = Guard(lambda: Pseudonyms(load(pseudonym_key="k" * 16)), usual())
KIM = pseudonym(MAIL, b"k" * 16)

LEFT_ALONE = {
    # what stands for something, or leads to it
    "semconv_schema_url", "model_uri", "model_digest", "input_hash", "output_hash", "system_hash", "input_vector",
    "tool_definition_hash", "args_hash", "result_hash", "query_hash", "content_hash", "subject_digest",
    "vcs_repository", "model_card_url", "vector",
    # what Watchkeeper itself makes of records that came through the guard
    "bundle", "missing", "changes", "evidence", "evidence_sql",
    # texts where a service sends them: the rules of texts hold; a request that is carried out word for word
    "input_text", "output_text", "content",
}  # fmt: skip
"""Fields of free text without a treatment, and why."""


def free(kind, path=()):
    """Yield the paths of all fields of a record that take more than a name."""
    for field in inspect.type_info(kind).fields:
        yield from _free(field.type, (*path, field.encode_name))


def _free(kind, path):
    match kind:
        case inspect.Metadata():
            yield from _free(kind.type, path)
        case inspect.UnionType():
            for each in kind.types:
                yield from _free(each, path)
        case inspect.ListType():
            yield from _free(kind.item_type, path)
        case inspect.DictType():
            yield from _free(kind.value_type, path)
        case inspect.StructType():
            yield from free(kind.cls, path)
        case inspect.StrType() if kind.max_length is None or kind.max_length > 256:
            if kind.pattern is None:
                yield path


def planned(plan, path=()):
    """Yield the paths of a plan."""
    for name, part in plan.items():
        yield from [(*path, name)] if isinstance(part, str) else planned(part, (*path, name))


def test_every_field_of_free_text_has_a_treatment_or_a_reason():
    """Nobody adds a text, a link or an explanation to the contract without a word about what may stand in it."""
    assert {("guards", "reason"), ("labels",), ("content_ref",)} <= set(free(Inference))
    for kind in get_args(wire.Record):
        known = set(planned(PLANS.get(kind, {}))) | ({("labels",)} if kind is Change else set())  # a policy's words
        assert {path for path in free(kind) if path not in known and path[-1] not in LEFT_ALONE} == set(), kind
        assert all(path[0] in kind.__struct_fields__ for path in known)


def test_an_event_is_stored_without_whom_it_named():
    """An id becomes a pseudonym, a link has one in it, of a text the kind stays; the rest is as it was."""
    said = Inference(
        event_id="e", source="s", service_name="shop", time_unix_nano=NOW_MS * 10**6, user_pseudo_id=f"Kim <{MAIL}>",
        session_id=f"{MAIL}/3", tenant_id="+49 30 901820", error_type=f"no account {MAIL}", request_model=MAIL,
        labels={"note": f"card {CARD}", "team": "red"}, content_ref=f"s3://texts/{MAIL}/1", input_text=f"I am {MAIL}",
    )  # fmt: skip
    masked, seen = GUARD.record(said)
    assert masked == msgspec.structs.replace(
        said, user_pseudo_id=KIM, session_id=f"{KIM}/3", tenant_id=pseudonym("+4930901820", b"k" * 16),
        error_type="no account <EMAIL_ADDRESS>", labels={"note": "card <CREDIT_CARD>", "team": "red"},
        content_ref=f"s3://texts/{KIM}/1",
    )  # fmt: skip
    assert seen == [
        Seen("user_pseudo_id", "EMAIL_ADDRESS", 1), Seen("session_id", "EMAIL_ADDRESS", 1),
        Seen("tenant_id", "PHONE_NUMBER", 1), Seen("labels", "CREDIT_CARD", 1),
        Seen("error_type", "EMAIL_ADDRESS", 1), Seen("content_ref", "EMAIL_ADDRESS", 1),
    ]  # fmt: skip
    assert GUARD.record(masked) == (masked, [])


def test_what_names_nobody_is_passed_on_as_it_is():
    """No copy is made, no key is asked for."""
    said = AgentStep(event_id="e", source="s", service_name="shop", time_unix_nano=NOW_MS * 10**6, step_kind="x",
                     user_pseudo_id="4711", session_id="4bf92f3577b34da6a3ce929d0e", labels={"a": "b"})  # fmt: skip
    masked, seen = Guard(pytest.fail, usual()).record(said)
    assert masked is said
    assert not seen


def test_a_pseudonym_of_another_key_is_counted_and_stays():
    """Who asks for a person's erasure does not find it: that is to be told, and nothing can be done about the row."""
    other = pseudonym(MAIL, b"o" * 16)
    said = GuardVerdict(event_id="e", source="s", service_name="shop", time_unix_nano=NOW_MS * 10**6,
                        user_pseudo_id=other, session_id=KIM, guard={})  # fmt: skip
    said = msgspec.convert(msgspec.to_builtins(said) | {"guard": {"guard_name": "g", "layer": "input", "status": "ok"}},
                           GuardVerdict)  # fmt: skip
    assert GUARD.record(said) == (said, [Seen("user_pseudo_id", OTHER_KEY, 1)])


persons = st.sampled_from([None, "u-1", MAIL, f"<{MAIL}>", "+49 30 901820", "+1", f"x {MAIL} {MAIL}", "a@b", KIM])
words = st.sampled_from(
    [None, "", "fine", f"{MAIL}, {CARD}", "%40", "8.8.8.8", "call +49 30 901820", "4111111111111112", "ä 12345678Z"]
)
guards = st.lists(
    st.fixed_dictionaries(
        {"guard_name": st.just("g"), "layer": st.just("output"), "status": st.just("ok")},
        optional={"reason": words, "native_result_value": words},
    ),
    max_size=3,
)
envelopes = {"user_pseudo_id": persons, "session_id": persons, "conversation_id": persons, "tenant_id": persons,
             "labels": st.one_of(st.none(), st.dictionaries(st.just("a"), st.sampled_from([MAIL, "b"])))}  # fmt: skip
records = st.one_of(
    st.fixed_dictionaries({}, optional=envelopes | {"error_type": words, "refusal_reason": words, "content_ref": words,
                                                    "guards": guards}),
    st.fixed_dictionaries(
        {"event_type": st.just("ai.safety.retrieval.v1")},
        optional=envelopes | {"guards": guards, "documents": st.lists(
            st.fixed_dictionaries({"id": st.just("d")}, optional={"source_uri": words}), max_size=3)},
    ),
    st.builds(
        lambda fields, guard: fields | {"guard": guard, "event_type": "ai.safety.guard_verdict.v1"},
        st.fixed_dictionaries({}, optional=envelopes), guards.filter(bool).map(lambda each: each[0]),
    ),
    st.fixed_dictionaries({"event_type": st.just("ai.safety.telemetry.v1")}, optional={"reason": words}),
)  # fmt: skip


@settings(max_examples=300)
@given(batch=st.lists(records, min_size=1, max_size=8))
def test_both_lanes_mask_alike(batch):
    """Columns and single records come out the same, and so does what was seen; a second pass finds nothing."""
    lines = [Record(dumps(event(**fields), ensure_ascii=False)) for fields in batch]
    fast, slow = events_decoder(GUARD), Decoder(Event, (), GUARD)
    first, other = fast(lines), slow(lines)
    same(first, other)
    assert not first.refused
    assert sorted(first.masked, key=str) == sorted(other.masked, key=str)
    parsed = [GUARD.clean(msgspec.json.decode(line.value, type=Event)) for line in lines]
    again = fast([Record(encode(each)) for each in parsed])
    same(again, first)
    assert not again.masked


def test_a_whole_session_stays_one_session():
    """What was one id before is one afterwards, and two are two: counts of sessions and users do not change."""
    lines = [
        Record(dumps(event(session_id=f"user{number % 7}@example.org", user_pseudo_id=MAIL))) for number in range(70)
    ]
    [columns] = events_decoder(GUARD)(lines).kinds.values()
    sessions = columns.table.column("session_id").to_pylist()
    assert len(set(sessions)) == 7
    assert all(PATTERN.fullmatch(each) for each in sessions)
    assert set(columns.table.column("user_pseudo_id").to_pylist()) == {KIM}


def test_documents_and_guards_are_reached_in_their_lists():
    """The second document of the third event, and a guard's reason, are no better hidden than a field of its own."""
    said = Retrieval(event_id="e", source="s", service_name="shop", time_unix_nano=NOW_MS * 10**6, documents=[])
    documents = [{"id": "1", "source_uri": "https://a/b"}, {"id": "2", "source_uri": f"imap://{MAIL}/inbox"}]
    value = dumps(msgspec.to_builtins(said) | {"documents": documents, "guards": [
        {"guard_name": "g", "layer": "retrieval", "status": "ok", "reason": f"from {MAIL}"}]})  # fmt: skip
    decoded = events_decoder(GUARD)([Record(dumps(event(event_type="ai.safety.retrieval.v1"))), Record(value)])
    [row] = decoded.kinds[Retrieval].table.slice(1).to_pylist()
    assert [each["source_uri"] for each in row["documents"]] == ["https://a/b", f"imap://{KIM}/inbox"]
    assert row["guards"][0]["reason"] == "from <EMAIL_ADDRESS>"
    assert {(each.position, each.seen.field) for each in decoded.masked} == {
        (1, "documents.source_uri"), (1, "guards.reason"),
    }  # fmt: skip
