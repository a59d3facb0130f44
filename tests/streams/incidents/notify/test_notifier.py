"""The notifier against real receivers on loopback, its log on a real broker."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from aiohttp import web
from kafka import KafkaConsumer, TopicPartition
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from schemas.identity import identity
from schemas.incidents import Delivery
from schemas.signature import WEBHOOK_ID, verify_webhook
from schemas.topics import DELIVERIES
from schemas.wire import decoder
from streams.incidents.notify.notifier import Notifier
from streams.incidents.notify.planning import WAITS_MS
from streams.incidents.notify.secret import SecretError
from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.policy.policy import parse_policy
from tests.support.incidents.records import fresh, record
from tests.support.waiting import PATIENCE_SECONDS

SECRET = "whsec_" + "QUJD" * 8

decode = decoder(Delivery)


class Server:
    """A receiver that answers as it is told: a status, headers with it, or a function; 200 when the list is empty."""

    def __init__(self, *answers):
        self.answers, self.got, self.url = list(answers), [], ""
        self._runner = None

    async def __aenter__(self):
        await self.up()
        return self

    async def __aexit__(self, *error):
        await self.down()

    async def up(self, port=0):
        """Listen."""
        app = web.Application()
        app.router.add_post("/hook", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self.port}/hook"

    async def down(self):
        """Listen no more."""
        await self._runner.cleanup()

    @property
    def port(self):
        """Where it listens."""
        return self._runner.addresses[0][1]

    async def _take(self, request):
        self.got.append((dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if self.answers else 200
        if callable(answer):
            answer = await answer()
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        return web.Response(status=status, headers=headers, text="no such thing")

    def ids(self):
        """Return the delivery ids in the order in which they came."""
        return [headers[WEBHOOK_ID] for headers, _ in self.got]

    def transitions(self):
        """Return what was told, in order."""
        return [json.loads(body)["transition"] for _, body in self.got]


def policy_of(*receivers):
    """Return a policy with some receivers."""
    return parse_policy(json.dumps({"receivers": list(receivers)}))


def hook(server, name="a"):
    """Return the policy's line about a server."""
    return {"name": name, "kind": "webhook", "url": server.url}


@contextlib.asynccontextmanager
async def notifying(settings, policy, transitions=(), deliveries=(), **others):
    """Run a notifier."""
    publisher = Publisher(client_arguments(settings))
    await publisher.start()
    notifier = Notifier(settings, policy, publisher, **others)
    notifier.restore(transitions, deliveries)
    await notifier.start()
    yield notifier
    await notifier.stop()
    await publisher.stop()


@contextlib.contextmanager
def heard():
    """Give the lines that are logged, which the tests keep quiet otherwise."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    with capture_logs() as lines:
        yield lines
    structlog.configure(**before)


def logged(settings):
    """Return the deliveries on record."""
    tp = TopicPartition(settings.topic(DELIVERIES.name), 0)
    consumer = KafkaConsumer(**client_arguments(settings), enable_auto_commit=False)
    consumer.assign([tp])
    consumer.seek_to_beginning(tp)
    end, found = consumer.end_offsets([tp])[tp], []
    while consumer.position(tp) < end:
        for records in consumer.poll(timeout_ms=500).values():
            found += [decode(item.value, 2**62) for item in records]
    consumer.close()
    return found


async def on_record(settings, count, receiver=None):
    """Wait for so many deliveries, and return them."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = [item for item in await asyncio.to_thread(logged, settings) if receiver in (None, item.receiver)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.1)


async def test_a_webhook_is_told_signed_and_on_record(kafka_settings, monkeypatch):
    """A receiver gets the record, can prove where it came from, and the attempt stands in the log."""
    monkeypatch.setenv("WATCHKEEPER_HOOK_KEY", SECRET)
    async with Server() as server:
        policy = policy_of(hook(server) | {"secret_from": "hook_key"})
        async with notifying(kafka_settings, policy) as notifier:
            told = fresh()
            notifier.transition(told)
            notifier.transition(told)
            [made] = await on_record(kafka_settings, 1)
        [(headers, body)] = server.got
    assert (made.status, made.attempt, made.http_status, made.receiver) == ("delivered", 1, 200, "a")
    assert (made.transition_event_id, made.labels["delivery_id"]) == (told.event_id, headers[WEBHOOK_ID])
    assert json.loads(body)["incident_id"] == "i"
    assert Webhook(SECRET).verify(body, dict(headers)) == json.loads(body)
    assert verify_webhook(body, headers, SECRET, now=time.time())
    assert not verify_webhook(body + b" ", headers, SECRET, now=time.time())


async def test_failures_are_repeated_in_order_under_the_same_id(kafka_settings):
    """A 500 and a 429 are tried again; the next transition of the incident waits for the first."""
    server = Server(500, (429, {"Retry-After": "1"}))
    async with server, notifying(kafka_settings, policy_of(hook(server))) as notifier:
        notifier.transition(fresh())
        notifier.transition(fresh("acknowledged"))
        made = await on_record(kafka_settings, 4)
    assert server.transitions() == ["detected", "detected", "detected", "acknowledged"]
    assert len(set(server.ids()[:3])) == 1
    assert [item.status for item in made] == ["failed", "failed", "delivered", "delivered"]
    assert [item.attempt for item in made] == [1, 2, 3, 1]
    assert made[1].labels[WAITS_MS] == "1000"
    assert made[2].time_unix_nano - made[1].time_unix_nano >= 2_000_000_000


async def test_a_refusal_is_given_up_and_the_next_is_told(kafka_settings):
    """A 400 is not tried again: it would be refused again."""
    async with Server(400) as server, notifying(kafka_settings, policy_of(hook(server))) as notifier:
        notifier.transition(fresh())
        notifier.transition(fresh("acknowledged"))
        made = await on_record(kafka_settings, 2)
    assert [(item.status, item.http_status) for item in made] == [("given_up", 400), ("delivered", 200)]
    assert server.transitions() == ["detected", "acknowledged"]


async def test_a_dead_receiver_holds_up_nobody(kafka_settings):
    """One that never answers times out and is tried again; the other is told meanwhile."""
    async with Server(lambda: asyncio.sleep(60)) as dead, Server() as alive:
        policy = policy_of(hook(dead, "dead"), hook(alive, "alive"))
        async with notifying(kafka_settings, policy, answer_seconds=3) as notifier:
            for name in ("detected", "acknowledged", "mitigated"):
                notifier.transition(fresh(name))
            assert len(await on_record(kafka_settings, 3, "alive")) == 3
            failed = await on_record(kafka_settings, 1, "dead")
    assert alive.transitions() == ["detected", "acknowledged", "mitigated"]
    assert (failed[0].status, failed[0].http_status) == ("failed", None)
    assert "no answer in time" in failed[0].detail


async def test_a_receiver_that_was_down_is_told_when_it_is_back(kafka_settings):
    """Nobody listens at first; the log shows it, and a new notifier goes on from the log alone."""
    async with Server() as server:
        policy, told = policy_of(hook(server)), fresh()
        port = server.port
        await server.down()
        async with notifying(kafka_settings, policy) as notifier:
            notifier.transition(told)
            made = await on_record(kafka_settings, 1)
        assert made[0].status == "failed"
        await server.up(port)
        async with notifying(kafka_settings, policy, [told], made):
            made = await on_record(kafka_settings, len(made) + 1)
        assert made[-1].status == "delivered"
        assert made[-1].attempt == len(made)
        async with notifying(kafka_settings, policy, [told], made):
            await asyncio.sleep(0.3)
        assert len(server.got) == 1


async def test_a_kill_between_post_and_log_is_recognisable(kafka_settings):
    """The receiver gets it twice, under one delivery id."""
    process = None

    async def kill():
        os.kill(process.pid, signal.SIGKILL)
        return 200

    async with Server(kill) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.streams.incidents.notify.telling",
            kafka_settings.kafka, kafka_settings.topic_prefix, server.url,
        )  # fmt: skip
        assert await process.wait() == -signal.SIGKILL
        assert logged(kafka_settings) == []
        async with notifying(kafka_settings, policy_of(hook(server)), [fresh()]):
            await on_record(kafka_settings, 1)
    assert server.ids() == [identity("a", fresh().event_id)] * 2


async def test_what_the_night_held_back_comes_as_one(kafka_settings):
    """Quiet hours that ended an hour ago: two incidents, one request, a delivery on record for each transition."""
    now = datetime.now(UTC)
    two_ago = int((now - timedelta(hours=2)).timestamp()) * 1_000_000_000
    hours = {"from": f"{now - timedelta(hours=3):%H:%M}", "to": f"{now - timedelta(hours=1):%H:%M}", "timezone": "UTC"}
    told = [record(incident=name, severity="sev3", observed_time_unix_nano=two_ago) for name in ("i", "j")]
    async with Server(503) as server:
        policy = policy_of(hook(server) | {"quiet_hours": hours})
        async with notifying(kafka_settings, policy, told):
            made = await on_record(kafka_settings, 4)
    assert [len(json.loads(body)["incidents"]) for _, body in server.got] == [2, 2]
    assert len(set(server.ids())) == 1
    assert [(item.incident_id, item.status) for item in made] == [
        ("i", "failed"), ("j", "failed"), ("i", "delivered"), ("j", "delivered"),
    ]  # fmt: skip


async def test_no_secret_is_seen(kafka_settings, monkeypatch, caplog):
    """Neither log nor deliveries hold a secret address, a key or a query; PagerDuty's body alone has its key."""
    caplog.set_level(logging.INFO)
    async with Server(500, 400) as server:
        monkeypatch.setenv("WATCHKEEPER_SLACK_URL", server.url + "?token=t0psecret")
        monkeypatch.setenv("WATCHKEEPER_GONE_URL", "http://user:t0psecret@127.0.0.1:1/t0psecret")
        monkeypatch.setenv("WATCHKEEPER_PD_KEY", "t0psecret")
        policy = policy_of(
            {"name": "slack", "kind": "slack", "url_from": "slack_url", "secret_from": "pd_key"},
            {"name": "gone", "kind": "webhook", "url_from": "gone_url"},
            {"name": "pd", "kind": "pagerduty", "url": server.url + "?q=t0psecret", "secret_from": "pd_key"},
        )
        with heard() as lines:
            async with notifying(kafka_settings, policy) as notifier:
                notifier.transition(fresh())
                made = [await on_record(kafka_settings, 1, name) for name in ("slack", "gone", "pd")]
    assert "t0psecret" not in repr((lines, caplog.text, made, notifier._targets))
    assert {line["receiver"] for line in lines} >= {"gone"}
    bodies = [body for _, body in server.got if b"routing_key" in body]
    assert json.loads(bodies[0])["routing_key"] == "t0psecret"


def test_a_missing_secret_says_where_to_put_it(kafka_settings, monkeypatch, tmp_path):
    """A receiver without its secret stops the start, with a line that says what to do; a file will do."""
    policy = policy_of({"name": "pd", "kind": "pagerduty", "secret_from": "pd_key"})
    publisher = Publisher(client_arguments(kafka_settings))
    with pytest.raises(SecretError, match="set WATCHKEEPER_PD_KEY, or put a file watchkeeper_pd_key"):
        Notifier(kafka_settings, policy, publisher)
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    (tmp_path / "watchkeeper_pd_key").write_text("k\n")
    Notifier(kafka_settings, policy, publisher)
