"""What the store says about an incident, and the bundle that keeps it."""

from datetime import UTC, datetime

import msgspec
import pytest

from streams.incidents.evidence.bundle import Bundle, bundle, evidence
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
        "trials", "flagged", "probe_id", "kafka_topic_id", "kafka_partition", "kafka_offset", "kafka_index",
    ]  # fmt: skip
    rows = []
    for number in range(60):
        tenant = "ab"[number % 2]
        flagged = LEAK if tenant == "a" and number % 6 == 0 else 0
        time = datetime.fromtimestamp(at(number * 10) / NANO, UTC)
        who = tenant, "m@2", f"s{number // 4}", f"u{number // 6}"
        probe = "probe-1" if number == 30 else ""
        rows.append([f"e{number}", "s", SERVICE, time, *who, LEAK, flagged, probe, "t", 0, number, 0])
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
    assert affected == {"requests": 59, "flagged": 9, "sessions": 9, "users": 9, "tenants": 1}
    policy = parse_policy(msgspec.json.encode({"services": {SERVICE: {"owner": "kim", "tier": "critical"}}}).decode())
    whole = bundle(incident(), incident().steps[0], page(service=SERVICE), asked, rows, policy)
    tenant = next(each for each in whole.contributors if each.dimension == "tenant")
    assert (tenant.name, tenant.flagged, tenant.trials) == ("a", 9, 29)
    assert tenant.lower < 9 / 29 < tenant.upper
    assert (whole.owner, whole.tier, len(whole.event_ids)) == ("kim", "critical", 9)
    record = evidence(incident(), incident().steps[0], whole, [])
    assert record.complete
    assert msgspec.json.decode(record.bundle, type=Bundle).affected["users"] == 9
    for question in whole.sql.values():
        assert isinstance(ask_running(running, question.query, question.parameters), list)


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
    assert affected == {"requests": 8, "flagged": 2, "sessions": 1, "users": 1, "tenants": 0}


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
    assert "Unknown table expression identifier" in record.missing[0]
    assert msgspec.json.decode(record.bundle, type=Bundle).affected["users"] == 8
