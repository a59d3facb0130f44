"""Refused records are sent to their topics again from the console, each kind by itself, by whoever may act."""

import asyncio
import re

import pytest
from kafka.admin import NewTopic

from schemas.topics import DEAD_LETTERS, INCIDENTS, INFERENCE
from streams.access.principals import create, tokens_file
from streams.kafka.letters import send_again
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message
from streams.kafka.sending import send_all
from streams.kafka.topics import admin, check_topics, client_arguments
from tests.streams.console.test_governance import insert
from tests.support.console import NOW, Browser, held, seed, signed_in, store
from tests.support.waiting import PATIENCE_SECONDS

HERE = "/console/telemetry"
AGAIN = f"{HERE}/letters"


def letter(settings, topic, offset, reason, value, *more):
    """Return a letter as workers write it."""
    headers = {"origin-topic": settings.topic(topic.name), "origin-partition": "0", "origin-offset": str(offset),
               "reason": reason}  # fmt: skip
    given = [(name, text.encode()) for name, text in (headers | dict(more)).items()]
    return Message(settings.topic(DEAD_LETTERS.name), value, None, headers=given)


def letters(settings):
    """Return four letters of events, one of them written twice and one that only counts; and a forged incident."""
    return [
        letter(settings, INFERENCE, 1, "future_time", b"one"), letter(settings, INFERENCE, 1, "future_time", b"one"),
        letter(settings, INFERENCE, 2, "future_time", b"two"), letter(settings, INFERENCE, 3, "not_json", b"{"),
        letter(settings, INFERENCE, 9, "future_time", b"", ("count", "40")),
        letter(settings, INCIDENTS, 4, "future_time", b"an incident"),
    ]  # fmt: skip


@pytest.fixture
async def work(client, store_settings, kafka_settings):
    """A worker over a broker and a store with what was refused in both."""
    seed(client, "shop")
    async with store(store_settings) as found:
        settings = found.model_copy(update={"kafka": kafka_settings.kafka, "topic_prefix": kafka_settings.topic_prefix})
        insert(client, "dead_letters", [
            {"time": NOW, "origin_offset": n, "reason": reason, "detail": "", "value": "{",
             "origin_topic": settings.topic(topic.name)}
            for n, (reason, topic) in enumerate([("future_time", INFERENCE), ("not_json", INFERENCE),
                                                 ("implausible", INCIDENTS)])])  # fmt: skip
        await asyncio.to_thread(send_all, settings, DEAD_LETTERS, letters(settings))
        yield held(settings)


async def outcome(browser):
    """Return the page once it says what came of it: a client of Kafka may take longer than the page waits."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "being sent" in (shown := await browser.get(HERE)).text:  # noqa: ASYNC110  as a person looks again
            await asyncio.sleep(0.5)
    return shown


async def values(settings, topic):
    """Return what a topic holds."""
    state = check_topics(settings, [topic])[settings.topic(topic.name)]
    return sorted([record.value async for record in LogReader(client_arguments(settings)).whole([state])])


async def test_those_of_one_kind_are_sent_again(work):
    """Each record once, none of another reason or of a topic that workers write, and no letter that only counts."""
    kim = await signed_in(work)
    page = await kim.get(HERE)
    assert page.text.count(f'action="{AGAIN}"') == 2
    topic = work.settings.topic(INFERENCE.name)
    led = await kim.send(page, AGAIN, topic=topic, reason="future_time")
    assert (led.status_code, led.headers["location"]) == (303, HERE)
    assert f"kim had future time of {topic} sent again: 2 records." in (await outcome(kim)).text
    assert await values(work.settings, INFERENCE) == [b"one", b"two"]
    assert await values(work.settings, INCIDENTS) == []
    for fields in ({"topic": work.settings.topic(INCIDENTS.name), "reason": "future_time"},
                   {"topic": topic, "reason": "<b>"}):  # fmt: skip
        assert (await kim.send(page, AGAIN, **fields)).status_code == 422


async def test_none_is_sent_twice(work):
    """Neither from the console nor from a terminal, in whatever order; new ones are; `--twice` sends all."""
    settings, topic = work.settings, work.settings.topic(INFERENCE.name)
    assert await asyncio.to_thread(send_again, settings, "not_json") == (1, 0)
    kim = await signed_in(work)
    for _ in range(2):
        await kim.send(await kim.get(HERE), AGAIN, topic=topic, reason="future_time")
        shown = await outcome(kim)
    assert "sent again: 0 records, 2 had been sent before." in shown.text
    newer = letter(settings, INFERENCE, 20, "future_time", b"three")
    await asyncio.to_thread(send_all, settings, DEAD_LETTERS, [newer])
    assert await asyncio.to_thread(send_again, settings) == (2, 3)
    assert await values(settings, INFERENCE) == [b"one", b"three", b"two", b"{"]
    assert await asyncio.to_thread(send_again, settings, "future_time", topic, twice=True) == (3, 0)


async def test_who_only_looks_cannot_send(work):
    """The page of a viewer has no form for it, and one that is sent all the same is refused."""
    token = create(tokens_file(work.settings), "vera", ("viewer",), 60)
    vera = Browser(work)
    await vera.sign_in("vera", token)
    page = await vera.get(HERE)
    assert AGAIN not in page.text
    forged = await vera.send(
        page, "/console/sign-out", topic=work.settings.topic(INFERENCE.name), reason="not_json", to=AGAIN
    )
    assert forged.status_code == 403
    assert await values(work.settings, INFERENCE) == []


async def test_a_broker_that_is_away_is_told(work):
    """Nothing is said to be sent that is not in Kafka."""
    away = held(work.settings.model_copy(update={"kafka": "127.0.0.1:1"}))
    kim = await signed_in(away)
    page = await kim.get(HERE)
    sending = asyncio.create_task(kim.send(page, AGAIN, reason="not_json"))
    await asyncio.sleep(1)  # a client of Kafka tries for half a minute
    assert (await kim.send(page, AGAIN, reason="not_json")).status_code == 409
    assert (await sending).status_code == 303
    assert re.search("sent again, and not all were: [^<]*127.0.0.1:1", (await outcome(kim)).text)


async def test_letters_of_others_topics_are_sent_again_too(work):
    """A topic with others' telemetry, which the settings name, is one of ours; a stranger's is not."""
    settings = work.settings.model_copy(update={"telemetry_topics": " kong = cloudevents,"})
    sent = [
        Message(settings.topic(DEAD_LETTERS.name), b"k", None, headers=[
            ("origin-topic", settings.topic(name).encode()), ("origin-partition", b"0"), ("origin-offset", b"7"),
            ("reason", b"not_json")])
        for name in ("kong", "strange")
    ]  # fmt: skip
    await asyncio.to_thread(send_all, settings, DEAD_LETTERS, sent)
    with admin(settings) as broker:
        broker.create_topics([NewTopic(settings.topic("kong"), 1, 1)])
    assert await asyncio.to_thread(send_again, settings, None, settings.topic("kong")) == (1, 0)
    assert await asyncio.to_thread(send_again, settings, None, settings.topic("strange")) == (0, 0)
