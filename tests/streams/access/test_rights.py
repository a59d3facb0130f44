"""Who may write which topic: the table is whole, and Kafka's own authorizer keeps to it."""

import asyncio
import json
import os
import subprocess
import sys
import uuid

import httpx2
import pytest
from kafka import KafkaProducer
from kafka.errors import TopicAuthorizationFailedError
from msgspec.json import encode
from typer.testing import CliRunner

from schemas.topics import DEAD_LETTERS, DOORS, FINDINGS, INFERENCE, LITELLM, RAW, TOPICS
from streams.access.rights import PARTIES, WORKERS, Rule, page, rules
from streams.app import module
from streams.backup.log import SavedRecord, file_of
from streams.backup.manifest import Manifest, Partition, SavedTopic, write_packed
from streams.backup.refill import fill_topics, finish_topics, make_topics
from streams.commands.main import app
from streams.health.problems import PROBLEMS, RIGHTS
from streams.kafka.groups import Groups
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import (
    KafkaUnavailableError,
    TopicError,
    admin,
    check_topics,
    client_arguments,
    known_topics,
)
from streams.local.ports import free_port
from streams.policy.retention import Retention
from streams.production.asked import kafka_gaps
from streams.receiver.app import WEBHOOK, Receiver, receiver_app
from streams.receiver.signals import SIGNALS
from streams.retention.topics import carry_out
from streams.settings import WORKER_PORTS, Settings
from streams.verify.run import Verifier
from tests.real.guarded import PASSWORD, GuardedBroker
from tests.support.both_paths import commit, history, read, send, watch

OWN = ("windows.v1", "incidents.v1", "evidence.v1", "deliveries.v1", "audit-heads.v1", "review-queue.v1",
       "approvals.v1")  # fmt: skip
"""Topics that workers alone write, each of one kind."""


def writers(name):
    """Return the parties that may write a topic, beside the operator."""
    return {party for party, each in PARTIES.items() if any(topic.name == name for topic in each.writes)} - {"operator"}


def test_every_topic_has_a_writer_and_nobody_speaks_for_others():
    """No topic is without a cell; what workers find is theirs alone, and no service writes more than events."""
    assert not [topic.name for topic in TOPICS if not writers(topic.name)]
    assert {name: len(writers(name)) for name in OWN} == dict.fromkeys(OWN, 1)
    for internal in ("findings.v1", "dead-letters.v1", "checkpoints.v1", "incident-actions.v1", "triage.v1"):
        assert writers(internal) <= set(WORKERS)
    assert PARTIES["service"].writes == (INFERENCE,)
    assert not PARTIES["service"].reads


@pytest.mark.parametrize("name", WORKER_PORTS)
def test_a_worker_may_all_that_it_needs(name):
    """It reads the topics that its code names, and is told of those that it checks when it starts."""
    party, code = PARTIES[name], module(name)
    assert set(code.TOPICS) <= set(party.reads)
    assert set(code.NEEDED) <= {*party.reads, *party.writes}


def test_rules_are_printed_as_commands_and_as_json():
    """Each principal has its own topics under the prefix, with its group; who was not named has none."""
    arguments = ["topics", "acl", "--kafka", "b:9092", "--allow", "service=User:shop"]
    said = CliRunner().invoke(app, arguments, env={"WATCHKEEPER_TOPIC_PREFIX": "p."}).stdout.splitlines()
    rule = "User:shop --operation Write --operation Describe --operation DescribeConfigs --topic p.inference.v1"
    assert [line.partition(" --allow-principal ")[2] for line in said if "User:shop" in line] == [rule]
    group = "User:p.watchkeeper-watch --operation Read --operation Describe --group p.watchkeeper-watch"
    assert [line for line in said if line.endswith(group)]
    as_json = CliRunner().invoke(app, [*arguments, "--json"]).stdout.splitlines()
    assert {json.loads(line)["principal"] for line in as_json} == {
        "User:shop", *(f"User:watchkeeper-{name}" for name in WORKERS),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("named", "wrong"),
    [
        ({"servant": ["User:a"]}, "no party is called 'servant'"),
        ({"service": ["a"]}, "write User:NAME"),
        ({"service": ["User:*"]}, "write User:NAME"),
        ({"service": ["User:a"], "watch": ["User:a"]}, "User:a is service and watch"),
    ],
)
def test_what_would_open_more_than_is_meant_is_refused(named, wrong):
    """An unknown party, everybody, and one principal for two parties are errors."""
    with pytest.raises(ValueError, match=wrong.replace("*", r"\*")):
        rules(Settings(), named)


def test_the_page_is_as_the_code(request):
    """`docs/kafka-rights.md` is the table; `make generated` writes it."""
    assert (request.config.rootpath / "docs" / "kafka-rights.md").read_text() == page()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A broker with TLS, SCRAM and the authorizer, its topics, the users of all parties and their rules."""
    broker = GuardedBroker(tmp_path_factory.mktemp("guarded"))
    others = {party: [f"User:{party}"] for party in PARTIES if party not in WORKERS}
    yield broker, broker.opened(others, topic_prefix=f"t{uuid.uuid4().hex[:8]}.")
    broker.stop()


def written(settings, topic):
    """Tell whether the broker takes a record of somebody."""
    producer = KafkaProducer(**client_arguments(settings), enable_idempotence=False)
    try:
        producer.send(settings.topic(topic.name), value=b"{}").get()
    except TopicAuthorizationFailedError:
        return False
    finally:
        producer.close()
    return True


@pytest.mark.kafka
def test_the_operator_restores_topics_on_a_broker_that_has_had_no_group_yet(guarded, tmp_path):
    """Records, a log that was cut and acknowledged offsets are back; all it takes is the rights of the operator."""
    broker, settings = guarded
    settings = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}again."})
    broker.allow(rules(settings, {"operator": ["User:operator"]}))
    operator = broker.settings_of(settings, "operator")
    saved = SavedTopic("was", [Partition(5, 8, 2)])
    lines = [
        encode(SavedRecord(at, 1_790_000_000_000, None, b"%d" % at, [("h", b"x"), ("none", None)])) + b"\n"
        for at in (5, 7)
    ]
    write_packed(file_of(tmp_path, FINDINGS.name, 0), lines)
    manifest = Manifest(
        made="2026-11-28", topic_prefix=settings.topic_prefix, schema={}, rows={}, secrets=[],
        topics={FINDINGS.name: saved}, groups={"watchkeeper-history": [(FINDINGS.name, 0, 6)]},
    )  # fmt: skip
    with admin(operator) as client:
        make_topics(client, operator, manifest, 1)
        asyncio.run(fill_topics(operator, tmp_path, manifest))
        with pytest.raises(TopicError, match="it must be LogAppendTime"):  # who is started now ends at once
            check_topics(operator, [FINDINGS])
        finish_topics(client, operator, manifest, 1)
        [[_, found]] = client.list_group_offsets(f"{settings.topic_prefix}watchkeeper-history").items()
        assert [at.offset for at in found.values()] == [6]
        state = known_topics(client, operator)[settings.topic(FINDINGS.name)]
        assert (state.topic_id, state.partitions) == ("was", 1)
    held = asyncio.run(LogReader(client_arguments(operator)).between(state.name, 0, 0, 8, 9))
    assert held[0].headers == (("h", b"x"), ("none", None))
    assert [(each.offset, each.value, each.timestamp) for each in held] == [
        (5, b"5", 1_790_000_000_000), (6, None, 1_790_000_000_000), (7, b"7", 1_790_000_000_000),
    ]  # fmt: skip


@pytest.mark.kafka
def test_a_service_may_send_events_and_nothing_else(guarded):
    """The broker takes its events, and refuses its findings, windows, incidents, actions and all the rest."""
    broker, settings = guarded
    service = broker.settings_of(settings, "service")
    assert [topic.name for topic in TOPICS if written(service, topic)] == [INFERENCE.name]


def test_the_receiver_may_write_what_comes_in_at_each_of_its_doors():
    """Every path that it serves has a topic in the contract, or none, and the rights are of these topics."""
    app = receiver_app(Settings(), Receiver(Settings(), Publisher({})), lambda: True)
    served = {route.path.removeprefix("/v1/") for route in app.routes if route.path.startswith("/v1/")}
    assert served == DOORS.keys()
    assert {signal.name: signal.topic for signal in SIGNALS} | {WEBHOOK: LITELLM} == DOORS
    assert set(PARTIES["receiver"].writes) == {topic for topic in DOORS.values() if topic is not None} == set(RAW)


@pytest.mark.kafka
async def test_the_broker_takes_what_comes_in_at_each_door(guarded):
    """Spans, logs and LiteLLM's webhook are answered with 200 by a receiver that has no more than its rights."""
    broker, settings = guarded
    mine = broker.settings_of(settings, f"{settings.topic_prefix}watchkeeper-receiver")
    publisher = Publisher(client_arguments(mine))
    await publisher.start()
    app = receiver_app(mine, Receiver(mine, publisher), lambda: True)
    span = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1"}
    bodies = {
        "traces": {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]},
        "logs": {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"traceId": "0" * 31 + "1"}]}]}]},
        "metrics": {}, WEBHOOK: {"id": "a", "litellm_call_id": "b"},
    }  # fmt: skip
    assert bodies.keys() == DOORS.keys()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
        for name, body in bodies.items():
            answer = await client.post(f"/v1/{name}", json=body)
            assert answer.status_code == 200, (name, answer.text)
    await publisher.stop()
    assert [topic.name for topic in TOPICS if written(mine, topic)] == [topic.name for topic in RAW]


def test_topics_of_others_telemetry_have_their_rights_too():
    """Who reads, writes and makes them; nobody else has anything to do with them."""
    settings = Settings(telemetry_topics="kong_logs=kong,litellm_logs=litellm", topic_prefix="p.")
    named = {party: [f"User:{party}"] for party in PARTIES}
    found = {rule.principal: rule.operations[0] for rule in rules(settings, named) if rule.name == "p.kong_logs"}
    assert found == {"User:normalise": "Read", "User:incidents": "Write", "User:collector": "Write",
                     "User:operator": "All"}  # fmt: skip


def test_a_topic_that_is_bound_to_a_service_is_written_by_its_principal_alone():
    """It may write there and nowhere else; no collector may; a topic that nobody named is no party."""
    settings = Settings(telemetry_topics="shop_events=canonical:shop", topic_prefix="p.")
    found = rules(settings, {"shop_events": ["User:shop"], "collector": ["User:otel"]})
    assert [rule for rule in found if rule.principal == "User:shop"] == [
        Rule("User:shop", "topic", "p.shop_events", ("Write", "Describe"))
    ]
    assert "p.shop_events" not in [rule.name for rule in found if rule.principal == "User:otel"]
    with pytest.raises(ValueError, match=r"no party is called .mail_events.*shop_events"):
        rules(settings, {"mail_events": ["User:mail"]})


@pytest.mark.kafka
def test_the_history_worker_says_how_long_topics_are_kept_and_a_service_does_not(guarded):
    """Retention is carried out with the rights of the history worker; a service is refused."""
    broker, settings = guarded
    mine, theirs = (
        broker.settings_of(settings, name) for name in (f"{settings.topic_prefix}watchkeeper-history", "service")
    )
    with pytest.raises(KafkaUnavailableError, match="does not let"):
        carry_out(theirs, Retention(text="3d"))
    assert settings.topic(INFERENCE.name) in carry_out(mine, Retention(text="3d"))


@pytest.mark.kafka
async def test_who_may_not_write_waits_says_so_and_goes_on_once_it_may(guarded):
    """What is to be written stays, `/health` names the topic, and the rule alone brings it out, once."""
    broker, settings = guarded
    topic = settings.topic(DEAD_LETTERS.name)
    broker.allow([Rule("User:late", "topic", topic, ("Describe",))])
    with pytest.raises(KafkaUnavailableError, match=r"lets this user write nothing: .*acl --apply"):
        await Publisher(client_arguments(broker.settings_of(settings, "late"))).start()
    broker.allow([Rule("User:late", "topic", settings.topic(FINDINGS.name), ("Describe", "Write"))])
    publisher = Publisher(client_arguments(broker.settings_of(settings, "late")))
    await publisher.start()
    writing = asyncio.create_task(publisher.publish([Message(topic, b"kept")]))
    while RIGHTS not in PROBLEMS.current():
        assert not writing.done()
        await asyncio.sleep(0.05)
    assert topic in PROBLEMS.current()[RIGHTS]
    broker.allow([Rule("User:late", "topic", topic, ("Describe", "Write"))])
    await writing
    assert RIGHTS not in PROBLEMS.current()
    await publisher.stop()
    assert [each.value for batch in read(settings, DEAD_LETTERS) for each in batch.records].count(b"kept") == 1


@pytest.mark.kafka
def test_a_worker_that_may_write_nothing_says_what_mends_it(guarded, tmp_path):
    """Its last line names the command, and its status says to whoever keeps it running that it is worth another try."""
    broker, settings = guarded
    readable = Rule("User:reader", "topic", settings.topic_prefix, ("Describe", "DescribeConfigs", "Read"), "prefixed")
    broker.allow([readable, Rule("User:reader", "group", settings.topic_prefix, ("Read",), "prefixed")])
    mine = broker.settings_of(settings, "reader").model_copy(update={"data_dir": tmp_path})
    named = mine.environment(name for name in Settings.model_fields if name.startswith(("kafka", "topic", "data")))
    ran = subprocess.run(
        [sys.executable, "-m", "streams", "worker", "detect"], capture_output=True, text=True, check=False,
        env=os.environ | named | {"WATCHKEEPER_KAFKA_PASSWORD": PASSWORD, "WATCHKEEPER_PORT": str(free_port())},
    )  # fmt: skip
    assert ran.returncode == os.EX_UNAVAILABLE
    assert "watchkeeper: kafka lets this user write nothing: give this worker's user its rules" in ran.stderr


@pytest.mark.store
@pytest.mark.kafka
def test_workers_do_their_work_with_no_more_rights_than_theirs(guarded, store_settings):
    """Watch and history do, each as itself; the operator finds nothing lacking, and incidents sees how far they are."""
    broker, settings = guarded
    store = {"clickhouse": store_settings.clickhouse, "clickhouse_database": store_settings.clickhouse_database}
    settings = settings.model_copy(update=store | {"data_dir": store_settings.data_dir})
    mine = {name: broker.settings_of(settings, f"{settings.topic_prefix}watchkeeper-{name}") for name in WORKERS}
    send(broker.settings_of(settings, "service"), 0, 200)
    asyncio.run(watch(mine["watch"]))
    asyncio.run(history(mine["history"]))
    commit(mine["history"])
    operator = broker.settings_of(settings, "operator")
    report = Verifier(operator, None, None).run()
    assert report.holes == []
    assert sum(counts.rows for counts in report.counts) == 200
    assert [list(kafka_gaps(each)) for each in (operator, mine["history"])] == [[], []]
    seen = Groups(mine["incidents"], WORKER_PORTS).look()
    assert sum(offset for offset, _ in seen["history"].read.values()) >= 200
    assert Groups(mine["watch"], WORKER_PORTS).look() is None
