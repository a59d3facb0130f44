"""What takes the store long to say: asked in good time, once at a time, and never shown without the time of it."""

import asyncio
import socket
import threading
from datetime import timedelta

import pytest

from streams.console import asking, kept
from streams.console.asking import Store
from streams.console.kept import DAYS, QUESTIONS, TELEMETRY, Kept, Known, rows
from streams.kpis.period import Period
from streams.kpis.show import period_rows
from tests.support.console import NOW, held, hours, minutes, seed, signed_in
from tests.support.histories import fill
from tests.support.incidents.entries import page
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.store

AGAIN = "it is being asked again"


def kept_of(browser):
    """Return what keeps the answers of a browser's console."""
    [found] = browser.application.state.beside
    return found


def rounded(found):
    """Return rows without the last digits: the engine adds up in an order of its own each time."""
    return [
        {name: round(value, 9) if isinstance(value, float) else value for name, value in row.items()} for row in found
    ]


async def until(true):
    """Wait until something is true."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.05)


class Slow:
    """A question that is answered when the test says so; it counts how often it is asked."""

    def __init__(self, monkeypatch, name="7"):
        self.asked, self.go, question = 0, threading.Event(), QUESTIONS[name]

        def load(settings, period):
            self.asked += 1
            self.go.wait(PATIENCE_SECONDS)
            return question.load(settings, period)

        monkeypatch.setitem(QUESTIONS, name, kept.Question(question.days, load))


async def test_figures_are_what_the_view_says(client, settings):
    """Packed and unpacked, of all services and of one, they are the rows that commands and reports get."""
    seed(client, "shop", "mail")
    found = await Kept(held(settings), Store(settings)).known("7")
    asked = found.answer.period
    assert asked.until == NOW
    assert rounded(rows(found)) == rounded(period_rows(settings, asked))
    one = Period(asked.since, asked.until, "shop")
    assert rounded(rows(found, "shop")) == rounded(period_rows(settings, one)) != []
    assert rows(found, "nobody") == rows(Known(None, False, True)) == []


async def test_an_old_answer_is_shown_with_its_age_and_asked_anew_behind(client, settings, monkeypatch):
    """Who looks waits for nothing: the page says how old its figures are, and the next one has what changed."""
    seed(client, "shop")
    monkeypatch.setattr(kept, "FRESH_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(kept, "OLDEST_SECONDS", PATIENCE_SECONDS)
    browser = await signed_in(held(settings))
    first = (await browser.get("/console/kpis")).text
    assert "as the store said" in first
    assert AGAIN not in first
    fill(client, service_hours=hours("shop", unsafe=lambda _: 90), service_minutes=[minutes("shop")])
    assert ">9.00 %" not in (await browser.get("/console/kpis")).text
    monkeypatch.setattr(kept, "FRESH_SECONDS", 0)
    slow = Slow(monkeypatch)
    old = (await browser.get("/console/kpis")).text
    assert AGAIN in old
    assert "data-soon" in old
    assert ">9.00 %" not in old
    slow.go.set()
    await until(lambda: all(task.done() for task in kept_of(browser)._reading.values()))
    assert ">9.00 %" in (await browser.get("/console/kpis")).text


async def test_an_answer_that_is_too_old_is_waited_for(client, settings, monkeypatch):
    """Where nobody could ask for long, a page shows what is true now and not what was true then."""
    seed(client, "shop")
    browser = await signed_in(held(settings))
    await browser.get("/console/kpis")
    fill(client, service_hours=hours("shop", unsafe=lambda _: 90), service_minutes=[minutes("shop")])
    monkeypatch.setattr(kept, "FRESH_SECONDS", 0)
    monkeypatch.setattr(kept, "OLDEST_SECONDS", 0)
    assert ">9.00 %" in (await browser.get("/console/kpis")).text


async def test_many_who_look_ask_once(client, settings, monkeypatch):
    """Ten pages at the same time, of two kinds, are one question to the store."""
    seed(client, "shop")
    slow, browser = Slow(monkeypatch), await signed_in(held(settings))
    pages = [asyncio.create_task(browser.get(path)) for path in ["/console/kpis", "/console/services/shop"] * 5]
    await until(lambda: slow.asked)
    slow.go.set()
    assert all("as the store said" in answer.text for answer in await asyncio.gather(*pages))
    assert slow.asked == 1


async def test_figures_that_take_long_are_said_to_be_prepared(client, settings, monkeypatch):
    """A page waits for them no longer than for anything, says so, looks again, and has them when they are there."""
    seed(client, "shop")
    slow, browser = Slow(monkeypatch), await signed_in(held(settings))
    heard = await asking.newest(Store(settings))

    async def newest(_):
        return heard

    monkeypatch.setattr(kept, "newest", newest)
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.1)
    text = (await browser.get("/console/kpis")).text
    assert "The figures are being prepared." in text
    assert "data-soon" in text
    assert "does not answer" not in text
    slow.go.set()
    await until(lambda: kept_of(browser)._answers)
    assert "being prepared" not in (await browser.get("/console/kpis")).text


async def test_a_store_that_hangs_leaves_the_last_figures_with_their_age(client, settings, monkeypatch):
    """The page says that the store is silent and how old its figures are, and incidents are still there."""
    seed(client, "shop")
    before = await signed_in(held(settings))
    await before.get("/console/kpis")
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        silent = settings.model_copy(update={"sql_port": mute.getsockname()[1]})
        after = await signed_in(held(silent, page(service="shop")))
        nothing = (await after.get("/console/kpis")).text
        kept_of(after)._answers.update(kept_of(before)._answers)
        last = (await after.get("/console/kpis")).text
        service = (await after.get("/console/services/shop")).text
    assert "No figure is known." in nothing
    for text in (last, service):
        assert "The store does not answer." in text
        assert "This is what it said last." in text
        assert "as the store said" in text
    assert "/console/incidents/inc-p" in service


async def test_all_are_asked_before_anybody_looks(client, settings):
    """A process that was just started has every answer soon, over an empty store too, and asks for them by itself."""
    found = Kept(held(settings), Store(settings))
    await found.start()
    try:
        await until(lambda: len(found._answers) == len(QUESTIONS))
    finally:
        await found.stop()
    assert set(found._answers) == {*DAYS, TELEMETRY}
    assert not any(row["value"] for row in rows(await found.known("1")) if row["kpi"] == "unsafe_served")
    assert found._answers["30"].period.since <= NOW - timedelta(days=29)


async def test_a_worker_without_the_incidents_asks_nothing(client, settings, monkeypatch):
    """Another one shows the pages then, and asks."""
    work = held(settings)
    monkeypatch.setattr(work, "owns", lambda: False)
    found = Kept(work, Store(settings))
    assert (await found.known("7")).answer is None


async def test_an_answer_that_cannot_be_read_ends_nothing(client, settings, monkeypatch):
    """The process asks on, and shows its other pages; this one says that there is no figure."""

    def load(settings, period):
        raise KeyError("trust")

    seed(client, "shop")
    monkeypatch.setitem(QUESTIONS, "1", kept.Question(1, load))
    browser = await signed_in(held(settings))
    await kept_of(browser).start()
    try:
        assert "No figure is known." in (await browser.get("/console/kpis?days=1")).text
        assert "as the store said" in (await browser.get("/console/kpis?days=7")).text
        assert not kept_of(browser)._task.done()
    finally:
        await kept_of(browser).stop()
