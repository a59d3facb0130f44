"""What is said of an incident is answered for once the worker has taken it in, and plainly where it has not yet."""

import asyncio

import aiohttp
import pytest

from schemas.topics import ACTIONS, FINDINGS
from schemas.wire import encode
from streams.access.tokens import made_token
from streams.api import incidents as incidents_api
from streams.api.incidents import WRITTEN_DOWN, api
from streams.api.server import Server
from streams.incidents.worker import NEEDED, Incidents
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.local.broker import free_port
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts
from tests.support.incidents.entries import page


@pytest.fixture
async def work(kafka_settings):
    """The incidents of a worker that holds them and gets no batch but those that a test hands it."""
    publisher = Publisher(client_arguments(kafka_settings))
    made = Incidents(Parts(kafka_settings, check_topics(kafka_settings, NEEDED), publisher, lambda: True))
    await made.publisher.start()
    await made.publisher.publish([Message(kafka_settings.topic(FINDINGS.name), encode(page()), b"a")])
    yield made
    await made.forget()
    await made.publisher.stop()


async def said(work):
    """Return what the topic of actions holds, as a batch."""
    state = check_topics(work.settings, [ACTIONS])[work.settings.topic(ACTIONS.name)]
    records = [record async for record in LogReader(client_arguments(work.settings)).whole([state])]
    return LogBatch(state, records[0].partition, tuple(records), lambda: None)


async def test_an_action_waits_for_the_fold_and_says_when_it_does_not_count_yet(work, monkeypatch):
    """202 with what is so where no batch comes; the state after the action as soon as one does."""
    port = free_port()
    server = Server(api(work), "127.0.0.1", port)
    await server.start()
    url, bearer = f"http://127.0.0.1:{port}/incidents/inc-p/", {"Authorization": f"Bearer {made_token(work.settings)}"}
    async with aiohttp.ClientSession(headers=bearer) as session:
        monkeypatch.setattr(incidents_api, "FOLDED_SECONDS", 0.2)
        async with session.post(url + "acknowledge", json={"actor": "kim", "action_id": "a1"}) as answer:
            assert (answer.status, await answer.json()) == (202, {"action_id": "a1", "detail": WRITTEN_DOWN})
        monkeypatch.setattr(incidents_api, "FOLDED_SECONDS", 60)
        waiting = asyncio.create_task(session.post(url + "mitigate", json={"actor": "kim", "action_id": "a2"}))
        while len((await said(work)).records) < 2:
            await asyncio.wait([waiting], timeout=0.05)
        assert not waiting.done()
        await work.take(await said(work))
        async with await waiting as answer:
            told = await answer.json()
            assert (answer.status, told["action_id"], told["status"]) == (200, "a2", "mitigated")
    await server.stop()
