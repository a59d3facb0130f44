"""Every example does what it says, against the real thing."""

import asyncio
import time

import pytest
import requests
from pydantic import SecretStr

from schemas.controls import Control
from schemas.events import Event
from schemas.fields import NANO
from schemas.signature import webhook_headers
from schemas.topics import CONTROLS, INFERENCE
from schemas.wire import decoder
from streams.incidents.notify.notifier import Notifier
from streams.incidents.requests.signing import signed
from streams.kafka.publisher import Publisher
from streams.kafka.sending import send_all
from streams.kafka.topics import client_arguments, create_topics
from streams.local.broker import free_port
from streams.policy.policy import parse_policy
from streams.settings import load
from streams.sql.server import Endpoint
from tests.docs.provider import provider
from tests.docs.running import EXAMPLES, run, started
from tests.faults.log import log
from tests.support.dashboards import history
from tests.support.incidents.records import fresh

decode = decoder(Event)
SECRET, OTHER_SECRET = "whsec_" + "QUJD" * 8, "whsec_" + "RUZH" * 8


@pytest.fixture
def topics(broker):
    """The broker with the topics under their own names, as an installation has them."""
    settings = load(kafka=broker)
    create_topics(settings)
    return settings


def newest(settings, count):
    """Return the newest events of the topic."""
    found = [record for records in log(settings, INFERENCE).values() for record in records]
    found.sort(key=lambda record: record.timestamp)
    return [decode(record.value, 2**62) for record in found[-count:]]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_has_twenty_lines_at_most_and_stands_in_the_list(path):
    """Lines that say something; and a reader finds each in the README beside them."""
    assert len([line for line in path.read_text().splitlines() if line.strip()]) <= 20
    assert f"[{path.name}]({path.name})" in (EXAMPLES / "README.md").read_text()


def test_an_event_is_sent(topics):
    """The event is in Kafka, fits the contract and has the guard's verdict."""
    run("send_event.py", topics.kafka)
    [event] = newest(topics, 1)
    assert (event.service_name, event.source) == ("assistant", "shop/assistant")
    assert [each.verdict for each in event.guards] == ["flag"]


def test_a_guard_stands_between_the_model_and_the_user(topics):
    """The OpenAI client gets an answer; a leak is replaced and on record as such, any other goes through."""
    with provider(["Write to kim@example.org.", "It is open until six."]) as address:
        given = {"OPENAI_BASE_URL": address, "OPENAI_API_KEY": "k"}
        shown = [run("guard_client.py", topics.kafka, "Whom do I ask?", **given) for _ in range(2)]
    assert shown == [["I may not say that."], ["It is open until six."]]
    leaked, harmless = newest(topics, 2)
    assert [(each.guards[0].verdict, each.guards[0].action) for each in (leaked, harmless)] == [
        ("block", "replaced"),
        ("allow", "none"),
    ]
    assert leaked.guards[0].findings[0].category == "sec.data_leakage.pii"
    assert harmless.response_id == "answer-2"


async def test_a_page_is_received_and_a_forged_one_is_not(kafka_settings, monkeypatch):
    """The notifier's webhook is believed and acknowledged; the same words under another secret are refused."""
    monkeypatch.setenv("WATCHKEEPER_HOOK_KEY", SECRET)
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    policy = parse_policy(f"receivers: [{{name: a, kind: webhook, url: '{address}', secret_from: hook_key}}]")
    publisher = Publisher(client_arguments(kafka_settings))
    with started("receive_page.py", port, HOOK_KEY=SECRET) as receiver:
        await publisher.start()
        notifier = Notifier(kafka_settings, policy, publisher)
        await notifier.start()
        notifier.transition(fresh())
        line = await asyncio.wait_for(asyncio.to_thread(receiver.stdout.readline), 60)
        await notifier.stop()
        await publisher.stop()
        forged = webhook_headers(b"{}", OTHER_SECRET, "d1", int(time.time()))
        refused = await asyncio.to_thread(requests.post, address, data=b"{}", headers=forged, timeout=30)
    assert line.split()[1:] == ["sev2", "helpdesk-eu", "detected"]
    assert refused.status_code == 403


def control(number, **more):
    """Return a control of now."""
    own = {"service_name": "chat", "control": "pause", "reason": f"r{number}", "actor_kind": "human"}
    return Control(event_id=f"c{number}", source="t", time_unix_nano=time.time_ns(), **(own | more))


def test_a_deployer_obeys_what_is_ours_alone(kafka_settings):
    """Forged, unsigned, altered, expired, repeated and other services' controls are ignored; good ones are obeyed."""
    ours = kafka_settings.model_copy(update={"control_key": SecretStr("a long secret")})
    good, last = signed(ours, control(1)), signed(ours, control(2, control="resume"))
    forged = signed(ours.model_copy(update={"control_key": SecretStr("guessed")}), control(3))
    unsigned = signed(ours, control(4))._replace(headers=())
    altered = signed(ours, control(5))
    altered = altered._replace(value=altered.value.replace(b"chat", b"mail"))
    expired = signed(ours, control(6, expires_at=time.time_ns() - NANO))
    other = signed(ours, control(7, service_name="search"))
    garbage = good._replace(value=b"\xff{")
    send_all(ours, CONTROLS, [good, forged, unsigned, altered, expired, other, garbage, good, last])
    known = {"WATCHKEEPER_CONTROL_KEY": "a long secret", "WATCHKEEPER_TOPIC_PREFIX": ours.topic_prefix}
    with started("consume_control.py", ours.kafka, "chat", **known) as deployer:
        printed = [deployer.stdout.readline().split() for _ in range(2)]
        deployer.kill()
        rest = deployer.stdout.read()
    assert printed == [["pause", "chat", "r1"], ["resume", "chat", "r2"]]
    assert not rest


def test_a_kpi_is_asked_for(client, store_settings):
    """Day by day, with its interval and its trust: the bad day of a small history is the one that shows."""
    history.write_all(client)
    endpoint = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    endpoint.start()
    try:
        days = [f"{at:%Y-%m-%d %H:%M:%S}" for at in (history.START, history.BAD_UNTIL)]
        printed = run("query_kpi.py", f"http://127.0.0.1:{endpoint.port}/", history.SERVICE, *days)
    finally:
        endpoint.stop()
    assert [line.split()[0] for line in printed] == ["0.00%", "35.00%"]
    assert all("of 4800" in line for line in printed)
