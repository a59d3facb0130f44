"""Another policy is tried on stored history from the console: in a process of its own, one at a time."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest

from schemas.wire import encode
from streams.replay.reading import read_events
from streams.settings import load
from tests.streams.console.test_accessibility import PICTURES
from tests.support.browser import complaints, shown, size
from tests.support.console import come_in, held, opened, signed_in
from tests.support.recorded import START, calls, store_windows
from tests.support.waiting import PATIENCE_SECONDS

HERE = "/console/backtest"
BEGAN = datetime.fromtimestamp(START, UTC) - timedelta(minutes=1)
PERIOD = {"since": f"{BEGAN:%Y-%m-%dT%H:%M}", "until": f"{BEGAN + timedelta(days=1):%Y-%m-%dT%H:%M}"}
NO_PAGE = "detectors: {rates: {leak: ticket}}"


@pytest.fixture
def leak(client, tmp_path):
    """Store the windows of a day on which a leak begins."""
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b"\n".join(map(encode, calls())) + b"\n")
    store_windows(client, list(read_events(load(), [path])))


async def over(browser):
    """Return the page once nothing runs."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "data-soon" in (page := await browser.get(HERE)).text:  # noqa: ASYNC110  as a person looks again
            await asyncio.sleep(0.2)
    return page


async def test_a_policy_is_held_beside_the_one_in_use(leak, settings):
    """The leak that pages is a ticket more with the other policy, and the page says that they differ in it."""
    kim = await signed_in(held(settings))
    led = await kim.send(await kim.get(HERE), HERE, **PERIOD, policy=NO_PAGE)
    assert (led.status_code, led.headers["location"]) == (303, HERE)
    done = await over(kim)
    assert "Done" in done.text
    assert re.search(r"[1-9][\d,]+ windows read", done.text)
    [(in_use, yours)] = re.findall(r"<b>leak</b> · rate</td><td[^>]*>([^<]*)</td><td[^>]*><b>([^<]*)</b>", done.text)
    assert (in_use.split(";")[0], yours.split(";")[0]) == ("1 page, 1 ticket", "2 tickets")
    assert "asked by kim" in done.text


async def test_its_end_is_seen_without_loading_the_page_again(leak, settings):
    """In a real browser: what is written in the form is run, and what came of it appears by itself."""
    async with opened(held(settings)) as (tab, address):
        await tab.goto(f"{address}{HERE}")
        await come_in(tab)
        await shown(tab, HERE)
        for name, text in (PERIOD | {"policy": NO_PAGE}).items():
            await tab.fill(f"[name={name}]", text)
        await tab.click("form.stack button")
        await shown(tab, HERE, "Look again")
        await tab.evaluate("window.loaded = 'once'")
        await shown(tab, HERE, "2 tickets")
        assert await tab.evaluate("window.loaded") == "once"
        assert await complaints(tab) == []
        if PICTURES.name:
            await size(tab, 1280, 900)
            await tab.screenshot(path=PICTURES / "console-backtest.png")


async def test_one_runs_at_a_time_and_can_be_cancelled(leak, settings):
    """A second one is refused with the name of who runs one; the first can be ended, and no process is left of it."""
    kim = await signed_in(held(settings))
    page = await kim.get(HERE)
    await kim.send(page, HERE, **PERIOD, policy=NO_PAGE)
    refused = await kim.send(page, HERE, **PERIOD, policy="budget: {pages_per_day: 2}")
    assert (refused.status_code, "one of kim runs" in refused.text) == (422, True)
    assert "pages_per_day: 2" in refused.text  # what was written is not lost
    running = await kim.get(HERE)
    assert "Running" in running.text
    assert (await kim.send(running, f"{HERE}/1/cancel")).status_code == 303
    assert "Cancelled" in (await over(kim)).text
    assert (await kim.send(running, f"{HERE}/1/cancel")).status_code == 409
    await kim.send(page, HERE, **PERIOD, policy=NO_PAGE)
    assert "Done" in (await over(kim)).text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"policy": "extends: /etc/passwd"}, "is no ready policy"),
        ({"policy": "budget:\n  page_per_day: 1"}, "policy:2: budget.page_per_day"),
        ({"policy": " "}, "write what the policy should say"),
        ({"policy": NO_PAGE, "until": PERIOD["since"]}, "from lies before to"),
        ({"policy": NO_PAGE, "since": "2020-01-01T00:00"}, "by at most 92 days"),
        ({"policy": NO_PAGE, "since": "yesterday"}, "dates with a time"),
    ],
)
async def test_what_cannot_be_run_is_told_before_anything_is(settings, fields, words):
    """In words, beside what was written."""
    kim = await signed_in(held(settings))
    refused = await kim.send(await kim.get(HERE), HERE, **(PERIOD | fields))
    assert (refused.status_code, words in refused.text) == (422, True)
    assert "None was run" in (await kim.get(HERE)).text


async def test_a_period_of_which_nothing_is_stored_fails_in_words(client, settings):
    """So does a store that is away."""
    kim = await signed_in(held(settings))
    await kim.send(await kim.get(HERE), HERE, **PERIOD, policy=NO_PAGE)
    assert "no windows are stored" in (await over(kim)).text
    away = await signed_in(held(settings.model_copy(update={"sql_port": 1})))
    await away.send(await away.get(HERE), HERE, **PERIOD, policy=NO_PAGE)
    assert "no history worker answers" in (await over(away)).text
