"""A worker whose policy wants two persons, three people with tokens of their own, and what they send."""

import asyncio
from contextlib import asynccontextmanager

from pydantic import SecretStr

from schemas.controls import Control
from schemas.topics import APPROVALS, CONTROLS, FINDINGS
from schemas.wire import encode
from streams.access.principals import create, tokens_file
from streams.incidents.requests.signing import signed
from streams.incidents.worker import NEEDED, Incidents
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts
from tests.support.console import TOKEN
from tests.support.incidents.entries import at, page
from tests.support.waiting import PATIENCE_SECONDS

POLICY = "two_persons: [lift_kill_switch, publish_policy, mute_severe, erasure]\n"
ROLES = {"kim": ("responder",), "ann": ("responder",), "vic": ("viewer",), "ada": ("admin",), "bob": ("admin",)}


def control(kind, second, service="shop", ends=None, name=None, when=None):
    """Return a control of a person."""
    return Control(
        event_id=name or f"{kind}-{second}", source="t", service_name=service, control=kind, actor_kind="human",
        actor_id="kim", reason="why", time_unix_nano=when or at(second), expires_at=None if ends is None else at(ends),
    )  # fmt: skip


def two(settings, folder):
    """Return settings with a policy that wants two persons, and the tokens of people by name."""
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    found = settings.model_copy(update={"api_token": SecretStr(TOKEN), "sql_port": 1, "policy": policy,
                                        "control_key": SecretStr("key")})  # fmt: skip
    file = tokens_file(found)
    return found, {name: create(file, name, roles, 86_400) for name, roles in ROLES.items()} | {"": TOKEN}


@asynccontextmanager
async def working(settings):
    """Give a worker over a real log that takes in what is said, and does what is due."""
    publisher = Publisher(client_arguments(settings))
    made = Incidents(Parts(settings, check_topics(settings, NEEDED), publisher, lambda: True))
    await publisher.start()
    await publisher.publish([Message(settings.topic(FINDINGS.name), encode(page(service="shop")), b"a")])
    await made.incident_log()
    reading = asyncio.create_task(_take_in(made))
    yield made
    reading.cancel()
    await asyncio.wait([reading], timeout=PATIENCE_SECONDS)
    assert reading.cancelled(), reading.exception()
    await made.forget()
    await publisher.stop()


async def _take_in(work):
    """Hand the worker its logs again and again, as Kafka may, and have it do what is due."""
    states = check_topics(work.settings, [APPROVALS, CONTROLS, FINDINGS]).values()
    while True:
        for state in states:
            records = [record async for record in LogReader(client_arguments(work.settings)).whole([state])]
            if records:
                await work.take(LogBatch(state, 0, tuple(records), lambda: None))
        await work._request(await work.incident_log())
        await asyncio.sleep(0.05)


async def stopped(work, service="shop", when=None):
    """Have a service asked to stop, and wait until the worker knows."""
    asked = control("kill_switch", 0, service, when=when)
    await work.publisher.publish([signed(work.settings, asked)])
    resume = control("resume", 1, service)
    await until(lambda: work.approvals.takes_two("lift_kill_switch", [resume]))


async def until(true):
    """Wait until something is true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := true()):  # noqa: ASYNC110  the worker is not asked to tell
            await asyncio.sleep(0.02)
    return found
