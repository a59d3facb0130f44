"""What the store says about an incident, and the bundle that keeps it."""

from datetime import UTC, datetime

import msgspec
import pytest
from msgspec.structs import astuple

from streams.incidents.evidence.bundle import Bundle, bundle, evidence, moments
from streams.incidents.evidence.collector import Collector
from streams.incidents.evidence.questions import BITS, STORED, curve, questions
from streams.policy.policy import parse_policy
from streams.sql.server import Endpoint
from streams.store.ask import ask_running
from tests.support.incidents.entries import NANO, at, folding, page

pytestmark = pytest.mark.store

SERVICE = "it's a \\ shop"
LEAK = 1 << BITS["leak"]


@pytest.fixture
def running(client, store_settings):
    """Settings of a store that answers, with sixty events of two tenants, every third of one of them a leak."""
    columns = [
        "event_id", "source", "service_name", "time", "tenant_id", "counted_version", "session_id", "user_pseudo_id",
        "trials", "flagged", "security_harm", "reached_user", "trace_id", "probe_id", "kafka_topic_id",
        "kafka_partition", "kafka_offset", "kafka_index",
    ]  # fmt: skip
    rows = []
    for number in range(60):
        tenant = "ab"[number % 2]
        flagged = LEAK if tenant == "a" and number % 6 == 0 else 0
        time = datetime.fromtimestamp(at(number * 10) / NANO, UTC)
        who = tenant, "m@2", f"s{number // 4}", f"u{number // 6}"
        probe = "probe-1" if number == 30 else ""
        harm, reached = (0, None) if not flagged else (5, True) if number < 24 else (1, False)
        more = harm, reached, f"t{number // 20}", probe
        rows.append([f"e{number}", "s", SERVICE, time, *who, LEAK, flagged, *more, "t", 0, number, 0])
    client.insert("inferences", rows, column_names=columns)
    endpoint = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    endpoint.start()
    yield store_settings.model_copy(update={"sql_port": endpoint.port})
    endpoint.stop()


def incident(**more):
    """Return an incident of that service, detected after ten minutes."""
    [found] = folding(page(second=600, service=SERVICE, onset=-600, **more)).incidents()
    return msgspec.structs.replace(found, metric="leak")


def test_who_is_affected_and_where_it_comes_from(running):
    """Counts are of the services and the time of the incident; probes are nobody; hostile names change nothing."""
    asked = questions(incident(), at(600))
    rows = {name: ask_running(running, question.query, question.parameters) for name, question in asked.items()}
    affected = {name: int(value) for name, value in rows["affected"][0].items() if name != "stored_until"}
    whom = {"sessions": 9, "users": 9, "tenants": 1, "outputs": 9}
    assert affected == {"requests": 59, "flagged": 9, "reached": 4, "unclear": 0} | whom
    policy = parse_policy(msgspec.json.encode({"services": {SERVICE: {"owner": "kim", "tier": "critical"}}}).decode())
    whole = bundle(incident(), incident().steps[0], page(service=SERVICE), asked, rows, policy)
    tenant = next(each for each in whole.contributors if each.dimension == "tenant")
    assert (tenant.name, tenant.flagged, tenant.trials) == ("a", 9, 29)
    assert tenant.lower < 9 / 29 < tenant.upper
    assert (whole.owner, whole.tier, len(whole.event_ids)) == ("kim", "critical", 9)
    record = evidence(incident(), incident().steps[0], whole, [])
    assert record.complete
    assert msgspec.json.decode(record.bundle, type=Bundle).affected["users"] == 9
    assert {f"{name}_affected": number for name, number in whom.items()}.items() <= msgspec.structs.asdict(
        record
    ).items()
    assert record.reached_user is True
    for question in whole.sql.values():
        assert isinstance(ask_running(running, question.query, question.parameters), list)


def test_a_cascade_affects_those_in_whose_traces_one_unsafe_step_follows_another(running):
    """Its events are the unsafe ones of a trace with more than one; what was stopped in all of them reached nobody."""
    asked = questions(msgspec.structs.replace(incident(), metric="cascade"), at(600))["affected"]
    [found] = ask_running(running, asked.query, asked.parameters)
    assert (int(found["flagged"]), int(found["users"])) == (9, 9)  # of three traces
    late = asked.parameters | {"since": at(450)}  # of the last trace, 48 and 54 are left
    [found] = ask_running(running, asked.query, late)
    assert {name: int(found[name]) for name in ("outputs", "reached", "unclear")} == {
        "outputs": 2, "reached": 0, "unclear": 0,
    }  # fmt: skip


def test_what_reached_nobody_says_so_and_what_no_event_says_is_not_known(running):
    """An incident whose outputs were all stopped reached no user; numbers that nobody can know are None."""
    late = msgspec.structs.replace(incident(), clocks=msgspec.structs.replace(incident().clocks, onset=at(235)))
    for found, wanted in ((incident(), True), (late, False)):
        rows = {"affected": ask_running(running, *astuple(questions(found, at(600))["affected"]))}
        whole = bundle(found, found.steps[0], None, {}, rows, parse_policy(""))
        assert evidence(found, found.steps[0], whole, []).reached_user is wanted
    nothing = bundle(late, late.steps[0], None, {}, {}, parse_policy(""))
    bare = evidence(late, late.steps[0], nothing, ["affected"])
    assert (bare.users_affected, bare.outputs_affected, bare.reached_user) == (None, None, None)


def test_evidence_is_gathered_at_the_opening_at_escalations_and_at_the_end():
    """A close after the recovery is no other end; one after a reopening is, and one without a recovery."""

    def names(*steps):
        opened = incident()
        said = [msgspec.structs.replace(opened.steps[0], name=name, entry=str(n)) for n, name in enumerate(steps)]
        return [step.entry for step in moments(msgspec.structs.replace(opened, steps=tuple(said)))]

    assert names("detected", "joined", "escalated", "acknowledged", "recovered", "closed") == ["0", "2", "4"]
    assert names("detected", "closed") == ["0", "1"]
    assert names("detected", "recovered", "reopened", "closed") == ["0", "1", "3"]


def test_of_steps_against_the_policy_the_named_ones_are_counted(running, client):
    """The steps that findings of a breach name are its harm; other steps of the service are its exposure."""
    columns = ["event_id", "service_name", "time", "session_id", "user_pseudo_id", "kafka_offset"]
    rows = [
        [f"step{n}", SERVICE, datetime.fromtimestamp(at(n * 10) / NANO, UTC), f"s{n // 2}", "u1", n] for n in range(8)
    ]
    client.insert("agent_steps", rows, column_names=columns)
    client.insert(
        "findings",
        [["f1", "breach", "sec.tool_misuse", SERVICE, ["step2", "step3"]]],
        column_names=["finding_id", "kind", "metric", "service_name", "event_ids"],
    )
    found = msgspec.structs.replace(incident(), metric="sec.tool_misuse", detector="tool_policy")
    asked = questions(found, at(600))
    rows = {name: ask_running(running, question.query, question.parameters) for name, question in asked.items()}
    affected = {name: int(value) for name, value in rows["affected"][0].items() if name != "stored_until"}
    assert affected == {
        "requests": 8, "flagged": 2, "outputs": 2, "sessions": 1, "users": 1, "tenants": 0, "reached": 0, "unclear": 2,
    }  # fmt: skip


def test_how_far_the_store_is_and_the_curve(running):
    """The store is as far as its slowest partition; the curve has the counts of each step of time."""
    [found] = ask_running(running, STORED, {"since": at(-86_400)})
    assert int(found["until"]) == at(590)
    question = curve(incident(), at(0), at(600), 300)
    points = ask_running(running, question.query, question.parameters)
    assert sum(int(point["flagged"]) for point in points) == 9
    assert curve(incident(), at(0), at(600), 300) is not None
    assert curve(msgspec.structs.replace(incident(), metric="cascade"), at(0), at(600), 300) is None


class Told:
    """Keeps what would be published."""

    def __init__(self):
        self.messages = []

    async def publish(self, messages):
        """Keep messages."""
        self.messages += list(messages)


async def test_evidence_waits_for_the_store_and_names_what_is_missing(running, monkeypatch):
    """It is gathered once the store has come to the detection; without a store it says so after a while."""
    policy, told = parse_policy(""), Told()
    early = incident()
    late = msgspec.structs.replace(early, steps=(msgspec.structs.replace(early.steps[0], at=at(500)),))
    collector = Collector(running, policy, told, lambda _: page(service=SERVICE))
    assert await collector.gather([(early, early.steps[0])]) == []
    [record] = await collector.gather([(late, late.steps[0])])
    assert (record.complete, record.missing) == (True, None)
    assert len(told.messages) == 1
    monkeypatch.setattr("streams.incidents.evidence.collector.PATIENCE_SECONDS", -1)
    nowhere = Collector(running.model_copy(update={"sql_port": 1}), policy, told, lambda _: None)
    [bare] = await nowhere.gather([(early, early.steps[0])])
    assert not bare.complete
    assert any("no history worker answers" in reason for reason in bare.missing)


async def test_the_end_of_harm_is_estimated_when_it_is_proven_over(running, client):
    """The evidence of the recovery says when the rate went back, between bounds, which is before the proof."""
    rows = [
        [datetime.fromtimestamp(at(minute * 60) / NANO, UTC), (at(0) // NANO + minute * 60) // 10, 10, "t", SERVICE,
         "leak", 50, 10 if minute < 4 else 0, minute]
        for minute in range(-9, 10)
    ]  # fmt: skip
    names = ["time", "tick", "tick_seconds", "source_topic_id", "service_name", "metric", "trials", "flagged",
             "kafka_offset"]  # fmt: skip
    client.insert("windows", rows, column_names=names)
    opened = incident(kind="rate", metric="leak", direction="up")
    proof = msgspec.structs.replace(opened.steps[0], name="recovered", at=at(500), entry="back")
    over = msgspec.structs.replace(opened, steps=(*opened.steps, proof))
    risen = page(service=SERVICE, kind="rate", metric="leak", direction="up")
    for found, expected in ((risen, at(240)), (page(service=SERVICE, kind="severe_event"), None)):
        collector = Collector(running, parse_policy(""), Told(), lambda _, found=found: found)
        [record] = await collector.gather([(over, proof)])
        assert record.ended_time_unix_nano == expected
        assert record.moment == "end"
    collector = Collector(running, parse_policy(""), Told(), lambda _: risen)
    [record] = await collector.gather([(over, proof)])
    assert record.ended_lower_time_unix_nano < at(240) <= record.ended_upper_time_unix_nano < at(360)


@pytest.mark.parametrize("through", ["endpoint", "server"])
async def test_a_question_that_the_store_refuses_is_missing_and_ends_nothing(running, client, through):
    """What ClickHouse says of that question stands in the evidence; the other questions are answered."""
    client.command("RENAME TABLE changes TO changes_away")
    server = {"clickhouse": f"http://127.0.0.1:{running.sql_port}"} if through == "server" else {}
    asked = running.model_copy(update=server)
    collector = Collector(asked, parse_policy(""), Told(), lambda _: page(service=SERVICE))
    found = incident()
    [record] = await collector.gather([(found, msgspec.structs.replace(found.steps[0], at=at(500)))])
    assert [reason.partition(":")[0] for reason in record.missing] == ["changes"]
    assert "the store has no table" in record.missing[0]
    assert msgspec.json.decode(record.bundle, type=Bundle).affected["users"] == 8
