"""What one source does wrong costs that source, and nobody else anything."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.fields import MAX_KEPT_BYTES
from schemas.windows import GroupSums, Sums
from streams.detect.fences import CALM_SECONDS
from streams.detect.judge import Judge
from streams.events.records import Refused
from streams.kafka.topics import TopicState
from streams.policy.policy import Policy
from streams.watch.names import MOST_GROUPS, MOST_SERVICES, Names, Shares
from streams.worker.dead_letters import MOST_OWNERS, Letters, owner_of
from streams.worker.faust_app import LogBatch
from tests.hostile.fleet import SECONDS, Record, event, junk, windows
from tests.support.detectors.subjects import assert_same_state
from tests.support.parts import block, measured, part

TICK = 177_000_000
TOPIC = TopicState("inference.v1", "id", 1)


def judge(most=20_000):
    """Return a judge of a whole fleet."""
    return Judge(SECONDS, 1.0, most, Policy())


def group(service, events=20, refused=0, **more):
    """Return the sums of a service."""
    return GroupSums(**{"tenant_id": "", "model_version": "", "service_name": service} | more,
                     events=events, refused=refused)  # fmt: skip


def by_name(found):
    """Return the sums of all ticks by tick and name, without refused records."""
    return {
        tick: {(each.tenant_id, each.service_name, each.model_version): each for each in groups if each.events}
        for tick, groups in found.items()
    }


mixed = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(["a", "b", "rogue"]), st.booleans()), min_size=1, max_size=60
)


@settings(max_examples=60)
@given(log=mixed, size=st.integers(1, 20))
def test_refused_records_are_counted_where_they_lay_and_change_nothing_else(log, size):
    """In whatever batches, refused records are counted by tick and service, and every other sum is as without them."""
    ordered = sorted(log)
    records = [
        event(second, name, at) if good else junk(second, name) for at, (second, name, good) in enumerate(ordered)
    ]
    end = [event(2_000, "end")]
    whole, cut = windows([*records, *end]), windows([*records, *end], size)
    assert whole == cut
    without = [record for record, (*_, good) in zip(records, ordered, strict=True) if good]
    assert {tick: groups for tick, groups in by_name(whole).items() if groups} == by_name(windows([*without, *end]))
    first = next((at for at, (*_, good) in enumerate(ordered) if good), len(ordered))
    counted = sum(each.refused for groups in whole.values() for each in groups)
    assert counted == sum(not good for *_, good in ordered[first:])


def test_a_source_over_its_limit_is_told_once_and_comes_back():
    """Seventy of a hundred records refused: one page, for that service alone; well again, one recovery; and again."""
    subject, found = judge(), []
    for step in range(2_000):
        bad = step < 400 or 1_200 <= step < 1_400
        rogue = group("rogue", events=6 if bad else 20, refused=14 if bad else 0)
        found += [*subject.judge(TICK + step, [group("fine"), rogue]), *subject.advance(TICK + step)]
    told = [(each.kind, each.severity, each.verdict) for each in found if each.service_name == "rogue"]
    assert told == [("telemetry", "page", "refused"), ("recovery", "info", "refused")] * 2
    assert found[1].opened_finding_id == found[0].finding_id
    assert not [each for each in found if each.service_name != "rogue"]


def test_a_source_that_only_sends_junk_and_goes_away_is_well_again():
    """Of a service without one good record the page comes as well, and the silence after it ends the matter."""
    subject, found = judge(), []
    for step in range(600):
        found += subject.judge(TICK + step, [group("fine"), *([group("junk", 0, 50)] if step < 50 else [])])
        found += subject.advance(TICK + step)
    assert [(each.service_name, each.kind) for each in found] == [("junk", "telemetry"), ("junk", "recovery")]


def test_a_few_refused_records_are_no_news():
    """Below the limit, or too few to say anything, nothing is told."""
    subject = judge()
    for step in range(1_000):
        assert not subject.judge(TICK + step, [group("a", 20, 2), group("b", 0, int(step % 60 == 0))])


def test_fences_are_the_same_after_a_restart():
    """A successor that takes over the state says the same from then on."""
    one, other, told = judge(), judge(), []
    for step in range(800):
        if step in (100, 300, 500):
            state = one.state()
            one = judge()
            one.restore(state)
        sums = [group("rogue", 6, 14 if step < 200 else 0), group("x", 9, tenant_id="~other", model_version="~other")]
        told.append((one.judge(TICK + step, sums), one.advance(TICK + step)))
        assert told[-1] == (other.judge(TICK + step, sums), other.advance(TICK + step))
    assert_same_state(one.state(), other.state())


def flood(names, second=0, source="rogue/src"):
    """Return events of as many services, all of one source."""
    return [event(second + at * 300 // names, f"bomb-{at}", source=source) for at in range(names)]


def test_fifty_thousand_names_cost_their_source_its_detail():
    """Others, also new ones that come in the middle, keep every number; the rest of the flood stands together."""
    others = [event(second, name, source=name, tenant_id="t", model_version="m")
              for second in range(320) for name in ("old", *(["new"] * (second > 150)))]  # fmt: skip
    log = sorted([*others, *flood(50_000, 10)], key=lambda record: record.timestamp)
    end = [event(2_000, "end")]
    flooded, calm = by_name(windows([*log, *end], 4_000)), by_name(windows([*others, *end], 4_000))
    for tick, groups in calm.items():
        for name, sums in groups.items():
            assert flooded[tick][name] == sums
    named = {name[1] for groups in flooded.values() for name in groups if name[1].startswith("bomb")}
    assert len(named) <= MOST_SERVICES / 2
    rest = sum(sums.events for groups in flooded.values() for name, sums in groups.items() if "~other of" in name[1])
    assert rest == 50_000 - len(named)


def test_many_versions_cost_a_service_its_detail_and_not_its_total():
    """A service with ten thousand versions is counted whole; what is too many of it is its own ``~other``."""
    records = [event(at // 100, "many", at, model_version=f"v{at}") for at in range(10_000)]
    found = by_name(windows([*records, event(2_000, "end")], 1_000))
    names = {name for groups in found.values() for name in groups}
    assert {name[1] for name in names} == {"many"}
    assert ("~other", "many", "~other") in names
    assert len(names) <= MOST_GROUPS / 2 + 1
    assert sum(sums.events for groups in found.values() for sums in groups.values()) == 10_000


@given(
    asked=st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), max_size=200),
    most=st.integers(1, 20),
)
def test_shares_are_bounded_and_what_has_a_place_keeps_it(asked, most):
    """Never more names than places, and a known name always has its own; one owner alone gets at most half of them."""
    shares, held = Shares(most), {}
    for tick, (name, owner) in enumerate(asked):
        admitted = shares.admit(str(name), owner, tick)
        assert admitted or str(name) not in held
        if admitted:
            held.setdefault(str(name), owner)
        assert len(shares) == len(held) <= most
    if len(set(held.values())) == 1:
        assert len(held) <= (most + 1) / 2
    again = Shares(most)
    again.restore(shares.state())
    assert again.state()["names"].tobytes() == shares.state()["names"].tobytes()
    again.forget(len(asked) + 1)
    assert not len(again)


def test_a_name_that_is_no_longer_used_makes_room():
    """A day of event time after a flood its places are free again: only the service that is heard then has one."""
    names, day = Names(SECONDS), 86_400 // SECONDS
    shares = names._shares["services"]
    for at in range(10_000):
        shares.admit(f"n{at}", "rogue", TICK)
    assert len(shares) == MOST_SERVICES / 2
    names.admitted(block(TICK + day + 1, [part(0, measured(1))]))
    assert len(shares) == 1


def test_the_bound_of_series_holds_over_all_detectors():
    """Twenty thousand services leave no more series than the bound, beside those that stand for all others."""
    most, subject = 3_000, judge(3_000)
    rates = {name: Sums(20, 0, 20, 0) for name in ("leak", "error", "unsafe_served")}
    for step in range(20):
        subject.judge(
            TICK + step,
            [group("old", rates=rates, quantities={"latency": {"5": 20}}, mixes={"tool": {"a": 1}}),
             *(group(f"n{step}-{at}", rates=rates, quantities={"latency": {"5": 1}}, mixes={"tool": {"a": 1}},
                     tenant_id="t", model_version=f"v{at}") for at in range(1_000))],
        )  # fmt: skip
    assert most <= subject.series <= most + 100
    assert subject.overflow
    assert subject.rates.book.find(("*", "old", "*", "1")) >= 0 or subject.rates.book.names[0][1] == "old"
    again = judge(most)
    again.restore(subject.state())
    assert again.rates.book._room.taken == subject.series


def test_too_many_names_are_told_once():
    """A service whose detail is counted together is a ticket, once; an hour after the last of it, a recovery."""
    subject, found = judge(), []
    for step in range(50 + CALM_SECONDS // SECONDS):
        crowd = [group("~other of rogue/src", tenant_id="~other", model_version="~other")] if step < 40 else []
        found += [*subject.judge(TICK + step, [group("fine"), *crowd]), *subject.advance(TICK + step)]
    assert [(each.kind, each.severity, each.verdict) for each in found] == [
        ("telemetry", "ticket", "crowded"), ("recovery", "info", "crowded"),
    ]  # fmt: skip


def letters(subject, records):
    """Return the letters of records that are all refused."""
    batch = LogBatch(TOPIC, 0, tuple(records), lambda: None)
    return list(subject.of(batch, [Refused(at, "invalid", "wrong") for at in range(len(records))]))


def record(service, number, size=1_000, hour=0):
    """Return a refused record of a service."""
    value = b'{"service_name":"%s","x":"%s"}' % (service.encode(), b"x" * size)
    return Record(value, 1_770_000_000_000 + hour * 3_600_000, number)


def test_letters_of_a_source_are_kept_up_to_a_size_and_then_counted():
    """Of one that floods some megabytes are kept, the rest is numbered; others are kept whole; an hour later anew."""
    subject = Letters("dead-letters.v1")
    flood = letters(subject, [record("rogue", at) for at in range(10_000)])
    *kept, rest = flood
    assert sum(len(letter.value) for letter in kept) <= MAX_KEPT_BYTES
    headers = dict(rest.headers)
    assert int(headers["count"]) == 10_000 - len(kept)
    assert f"offsets {len(kept)} and 9999".encode() in headers["detail"]
    assert len(letters(subject, [record("fine", at) for at in range(100)])) == 100
    assert len(letters(subject, [record("rogue", at, hour=1) for at in range(100)])) == 100


def test_a_flood_under_many_names_is_bounded_as_well():
    """Names that nobody has seen share one place when there are too many of them."""
    subject = Letters("dead-letters.v1")
    found = letters(subject, [record(f"n{at}", at, 4_000) for at in range(MOST_OWNERS + 5_000)])
    assert sum(len(letter.value) for letter in found) <= MOST_OWNERS * 4_300 + MAX_KEPT_BYTES


@pytest.mark.parametrize(
    ("value", "headers", "owner"),
    [
        (b'{"service_name":"a\\u00e9","x":' + b"[" * 50_000, (), "aé"),
        (b'{"source" : "src","x', (), "src"),
        (b'{"text":"\\"service_name\\":\\"forged\\"","source":"s"}', (), "s"),
        (b"\xff\xfe", (("ce_source", b"pod\xff"),), "pod\ufffd"),
        (b'{"service_name":"\xff"}', (), "unknown/3"),
        (b'{"service_name":7}', (), "unknown/3"),
        (b'{"service_name":""}', (), "unknown/3"),
        (b"", (), "unknown/3"),
        (None, (("ce_source", None),), "unknown/3"),
    ],
)
def test_whose_a_record_is_is_told_without_parsing_it(value, headers, owner):
    """What cannot be read by any parser still has an owner, and nothing that a text quotes is taken for one."""
    assert owner_of(Record(value, 0, 0, headers), 3) == owner


def test_counting_owners_is_linear():
    """A megabyte that is made of beginnings of names is searched in no time."""
    began = time.process_time()
    for value in (b'"service_name"' * 70_000, b'"source":"\\' * 90_000, b'"service_name":"' + b"\\" * 1_000_000):
        owner_of(Record(value, 0), 0)
    assert time.process_time() - began < 2
