"""Tickets are judged in bulk and muted for a while, by whoever signed in, and the budget says what came of it."""

import asyncio
import re
from datetime import UTC, datetime

import numpy as np
import pytest

from schemas.topics import TRIAGE
from schemas.triage import Triage
from schemas.wire import encode
from streams.events.decode import Decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from tests.faults.log import decoded
from tests.streams.events.test_decode import Record
from tests.support.console import held, hours, minutes, signed_in, store
from tests.support.histories import fill
from tests.support.incidents.entries import NANO, at

HERE = "/console/findings"


def ticket(name, second, service="a", metric="latency", **more):
    """Return the row of a ticket."""
    when = datetime.fromtimestamp(at(second) / NANO, UTC)
    return {"finding_id": name, "kind": "quantity", "severity": "ticket", "service_name": service, "metric": metric,
            "detected_time": when, "evidence": f"<b>{name}", "opened_finding_id": ""} | more  # fmt: skip


TICKETS = [
    ticket("t1", 10), ticket("t2", 20), ticket("t3", 30, metric="tokens"), ticket("t4", 40, service="b"),
    ticket("back", 50, kind="recovery", severity="info", opened_finding_id="t4"),
]  # fmt: skip


@pytest.fixture
async def work(client, store_settings, kafka_settings):
    """A worker over a broker and a store with four tickets, one of which is over."""
    fill(client, findings=TICKETS, service_hours=hours("a"), service_minutes=[minutes("a"), minutes("b")])
    async with store(store_settings) as found:
        settings = found.model_copy(update={"kafka": kafka_settings.kafka, "topic_prefix": kafka_settings.topic_prefix})
        made = held(settings)
        await made.publisher.start()
        yield made
        await made.publisher.stop()


async def stored(work, client):
    """Store what people said as history does, and return it."""
    said = await asyncio.to_thread(decoded, work.settings, TRIAGE, Triage)
    writer = HistoryWriter(client)
    for offset, each in enumerate(said):
        [columns] = Decoder(Triage)([Record(encode(each), each.time_unix_nano // 10**6)]).kinds.values()
        origin = Origin("triage", "triage", 0, np.array([offset]))
        writer.write(origin, list(rows_of(columns, origin)))
    return [(each.decision, each.finding_id or each.metric, each.actor_id) for each in said]


def listed(page):
    """Return which tickets a page offers."""
    return re.findall(r'name="ticket\.(\w+)"', page.text)


async def test_tickets_are_judged_in_bulk_and_muted_until_an_end(work, client):
    """What is judged, over or muted waits no longer; the budget counts it; unmuting brings back what is open."""
    kim = await signed_in(work)
    first = await kim.get(HERE)
    assert (listed(first), "3 tickets wait" in first.text) == (["t3", "t2", "t1"], True)
    assert "&lt;b&gt;t1" in first.text
    assert (await kim.get("/console/")).text.count("(ticket)") == 1
    led = await kim.send(first, HERE, **{"ticket.t1": "a", "ticket.t3": "a"}, decision="false", reason="a test")
    assert led.status_code == 303
    await kim.send(first, HERE, decision="mute", service_name="a", metric="latency", reason="<i>load", **{"for": "8h"})
    said = [("false", "t1", "kim"), ("false", "t3", "kim"), ("mute", "latency", "kim")]
    assert sorted(await stored(work, client)) == sorted(said)
    after = await kim.get(HERE)
    assert (listed(after), "No ticket waits" in after.text, "&lt;i&gt;load" in after.text) == ([], True, True)
    assert "(ticket)" not in (await kim.get("/console/")).text
    counted = dict(re.findall(r'data-is="([\w ]+)" class="num">([\d.]+)<', after.text))
    assert (counted["found"], counted["real"], counted["false"], counted["not judged"]) == ("2.00", "0", "2", "2")
    assert listed(await kim.get(f"{HERE}?state=judged")) == ["t3", "t1"]
    assert listed(await kim.get(f"{HERE}?state=muted")) == ["t2", "t1"]
    await kim.send(after, HERE, decision="unmute", service_name="a", metric="latency")
    await stored(work, client)
    assert listed(await kim.get(HERE)) == ["t2"]


async def test_what_cannot_be_said_of_tickets_is_refused_in_words(work):
    """No ticket chosen, no end, no reason, a word that there is not, longer than a month: nothing is written."""
    kim = await signed_in(work)
    page = await kim.get(HERE)
    muted = {"decision": "mute", "service_name": "a", "metric": "latency", "for": "1h", "reason": "b"}
    for fields, said in (
        ({"decision": "real"}, "none is chosen"), (muted | {"for": ""}, "until when"), (muted | {"reason": ""}, "why"),
        ({"decision": "perhaps"}, "cannot be said"), (muted | {"for": "31d"}, "at most 30d"),
        (muted | {"metric": ""}, "of which tickets"), (muted | {"metric": "a" * 300}, "too long"),
    ):  # fmt: skip
        refused = await kim.send(page, HERE, **fields)
        assert (refused.status_code, said in refused.text) == (422, True), fields
    assert await asyncio.to_thread(decoded, work.settings, TRIAGE, Triage) == []


@pytest.mark.store
async def test_ten_thousand_tickets_are_pages(client, store_settings):
    """Fifty a page, each page by its number, the newest first; filters choose by service and metric."""
    fill(client, findings=[ticket(f"t{n}", n / 10, service=f"s{n % 7}") for n in range(10_000)],
         service_minutes=[minutes("s1")])  # fmt: skip
    async with store(store_settings) as settings:
        kim = await signed_in(held(settings))
        first = await kim.get(HERE)
        assert (len(listed(first)), listed(first)[0], "10,000 tickets wait" in first.text) == (50, "t9999", True)
        assert listed(await kim.get(f"{HERE}?page=200"))[-1] == "t0"
        assert listed(await kim.get(f"{HERE}?service=S3&metric=latency"))[0] == "t9999"
        assert listed(await kim.get(f"{HERE}?metric=tokens")) == []
        away = await signed_in(held(settings.model_copy(update={"sql_port": 1})))
        assert "The tickets are not known" in (await away.get(HERE)).text
