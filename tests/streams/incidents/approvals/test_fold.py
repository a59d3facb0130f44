"""Nothing is carried out that two persons did not want, whatever is written in whatever order, or glass is broken."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.approvals import Approval, hash_of
from schemas.topics import CONTROLS
from schemas.wire import InvalidRecordError, decoder, encode
from streams.incidents.approvals.acts import KillSwitches, content_of, in_words, messages, records_of, takes_two
from streams.incidents.approvals.fold import LASTS_NANO, MOST_WAITING, Requests, person
from streams.incidents.fold.moves import IllegalActionError
from streams.settings import load
from tests.support.approvals import control
from tests.support.incidents.entries import NANO, at

PEOPLE = ("kim", "Kim", " KIM ", "ann", "bo")
WHY = "it burns and nobody else answers"


def request(name="r", who="kim", content=None, second=0, **more):
    """Return a request to lift a kill switch."""
    content = content_of([control("resume", second)]) if content is None else content
    return Approval(
        event_id=f"e-{name}", source="t", service_name="shop", time_unix_nano=at(second), request_id=name,
        step="requested", act="lift_kill_switch", content_hash=hash_of(content), content=content, actor_kind="human",
        actor_id=who, reason="fixed", expires_at=at(second) + LASTS_NANO,
    ) if not more else replace(request(name, who, content, second), **more)  # fmt: skip


def step(kind, who, asked, second=60, **more):
    """Return a step about a request."""
    made = replace(asked, event_id=f"{kind}-{who}-{second}", step=kind, actor_id=who, content=None, expires_at=None)
    system = {"actor_kind": "system"} if kind == "carried_out" else {}
    return replace(made, time_unix_nano=at(second), **({"reason": None} | system | more))


KINDS = ("requested", "approved", "approved", "refused", "broken_glass", "broken_glass", "carried_out")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS), st.sampled_from(PEOPLE), st.sampled_from("rrs"), st.sampled_from([{}] * 5 + [
            {"actor_kind": "automation"}, {"actor_kind": "system"}, {"actor_kind": "human"}, {"act": "erasure"},
            {"content_hash": "0" * 64}]),
        st.sampled_from([WHY, WHY, "in a hurry", ""]), st.integers(0, 90_000),
    ),
    min_size=3, max_size=12,
)  # fmt: skip


@given(st.sampled_from(PEOPLE), STEPS)
@settings(max_examples=400)
def test_nothing_is_carried_out_that_one_person_wanted(first_who, said):
    """What is due was asked by a person and approved by another in time, by its hash, or is broken glass with a why."""
    requests, began = Requests(), request("r", first_who)
    seen = [(0, began)]
    assert requests.take(began, at(0))
    for kind, who, name, other, why, second in said:
        made = request(name, who, began.content, second)
        made = made if kind == "requested" else step(kind, who, made, second, reason=why, **other)
        if requests.take(made, at(second)):
            seen.append((second, made))
    for each in requests.due():
        mine = [(second, made) for second, made in seen if made.request_id == each.request.request_id]
        [(start, first)] = [(second, made) for second, made in mine if made.step == "requested"]
        [(when, last)] = [(second, made) for second, made in mine if made is each.decided]
        assert (last.content_hash, last.actor_kind, first.actor_kind) == (first.content_hash, "human", "human")
        assert at(when) <= first.expires_at == at(start) + LASTS_NANO
        same = person(first.actor_id) == person(last.actor_id)
        assert (last.step, same) in {("approved", False), ("broken_glass", True)}
        assert last.step == "approved" or len(last.reason.split()) >= 5
    counted = [made for _, made in seen if made.step != "requested"]
    assert len([made for made in counted if made.step != "carried_out"]) <= len(requests.all())


WRONG = {
    "by who asked": (step("approved", "kim", request()), "another person has to agree"),
    "by who asked, in capitals": (step("approved", "KIM", request()), "another person has to agree"),
    "by a machine": (step("approved", "bot", request(), actor_kind="automation"), "machines do neither"),
    "of something else": (step("approved", "ann", request(), content_hash="0" * 64), "its hash is another"),
    "as another act": (step("approved", "ann", request(), act="erasure"), "its hash is another"),
    "of nothing": (step("approved", "ann", request("x")), "nothing was asked for as x"),
    "too late": (step("approved", "ann", request(), 86_500), "it has expired"),
    "glass of another": (step("broken_glass", "ann", request(), reason=WHY), "you are the second person"),
    "glass without a why": (step("broken_glass", "kim", request(), reason="no time"), "5 words or more"),
    "carried out unasked": (step("carried_out", "watchkeeper", request()), "what was agreed"),
    "asked again": (request(), "was asked for already"),
    "asked for ever": (request("s", expires_at=at(9 * 86_400)), "a day to agree"),
}


@pytest.mark.parametrize(("wrong", "why"), WRONG.values(), ids=WRONG)
def test_what_does_not_count_says_why(wrong, why):
    """Each is refused in words, and changes nothing."""
    requests = Requests()
    assert requests.take(request(), at(0))
    with pytest.raises(IllegalActionError, match=why):
        requests.check(wrong, wrong.time_unix_nano)
    assert not requests.take(wrong, wrong.time_unix_nano)
    assert [each.state(at(1)) for each in requests.all()] == ["pending"]


def test_a_request_goes_from_pending_to_carried_out_once():
    """The first decision counts; what is done is not due again; one that nobody decides about expires."""
    requests = Requests()
    assert requests.take(request(), at(0))
    assert requests.take(step("approved", "ann", request()), at(60))
    assert not requests.take(step("refused", "bo", request()), at(61))
    assert [each.decided.actor_id for each in requests.due()] == ["ann"]
    assert requests.take(step("carried_out", "watchkeeper", request()), at(62))
    assert not requests.take(step("carried_out", "watchkeeper", request()), at(63))
    assert (requests.due(), requests.all()[0].state(at(64))) == ([], "carried_out")
    assert requests.take(request("old"), at(0))
    assert requests.get("old").state(at(86_401)) == "expired"
    for number in range(MOST_WAITING):
        requests.take(request(f"n{number}"), at(0))
    with pytest.raises(IllegalActionError, match="decide about them first"):
        requests.check(request("more"), at(0))


def test_what_is_carried_out_is_what_was_asked_for():
    """The very records of the request, signed as controls are; content and hash can't be told apart by the contract."""
    settings = load(control_key="k")
    requests = Requests()
    requests.take(request(), at(0))
    requests.take(step("approved", "ann", request()), at(60))
    [asked] = requests.due()
    [sent] = messages(settings, asked)
    assert (sent.topic, sent.value) == (settings.topic(CONTROLS.name), encode(control("resume", 0)))
    assert in_words(asked.request) == "lift the kill switch of shop"
    changed = content_of([control("resume", 0, "mail")])
    with pytest.raises(InvalidRecordError, match="not that of its content"):
        decoder(Approval)(encode(request()).replace(b"shop", b"mail"), at(0))
    as_erasure = replace(request(), act="erasure", content=changed, content_hash=hash_of(changed))
    with pytest.raises(msgspec.ValidationError):
        records_of(as_erasure)


def test_only_a_resume_of_a_service_that_was_asked_to_stop_lifts_anything():
    """A kill switch is over by its end or a resume; one that ends sooner, or a pause, does not shorten it."""
    switches, now = KillSwitches(), at(0)
    for kind, second, ends in (("kill_switch", 0, None), ("kill_switch", 1, 2), ("pause", 2, None)):
        assert not switches.take(control(kind, second, ends=ends))
    assert switches.in_force("shop", at(9) + 9 * 86_400 * NANO)
    assert takes_two("lift_kill_switch", [control("resume", 9)], switches)
    assert not takes_two("lift_kill_switch", [control("resume", 9, "mail")], switches)
    assert not takes_two("lift_kill_switch", [control("pause", 9)], switches)
    assert (switches.take(control("resume", 9)), switches.in_force("shop", now)) == (True, False)
    switches.take(control("kill_switch", 20, ends=30))
    assert (switches.in_force("shop", at(29)), switches.in_force("shop", at(31))) == (True, False)
