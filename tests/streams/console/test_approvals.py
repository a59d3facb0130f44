"""What takes two persons in the console: asked for by one, agreed to by another in a real browser, or done alone."""

import asyncio

import pytest

from schemas.controls import Control
from schemas.topics import CONTROLS
from tests.faults.log import decoded
from tests.streams.console.test_accessibility import wrong_on
from tests.support.approvals import stopped, two, until, working
from tests.support.browser import complaints, shown
from tests.support.console import Browser, come_in, opened

pytestmark = pytest.mark.kafka

HERE, INCIDENT = "/console/approvals", "/console/incidents/inc-p"
ORDER = {"control": "resume", "service": "shop", "reason": "<b>fixed", "confirm": "shop"}


@pytest.fixture
async def people(kafka_settings, tmp_path):
    """A worker whose policy wants two persons, a service that was asked to stop, and browsers by who is signed in."""
    settings, tokens = two(kafka_settings, tmp_path)
    async with working(settings) as work:
        await stopped(work)

        async def sign_in(name):
            browser = Browser(work)
            assert (await browser.sign_in("anybody", tokens[name])).status_code == 303
            return browser

        yield work, tokens, sign_in


async def lifted(work):
    """Return the controls that lift a kill switch."""
    said = await asyncio.to_thread(decoded, work.settings, CONTROLS, Control)
    return [(each.actor_id, each.reason, each.source) for each in said if each.control == "resume"]


async def ask(kim):
    """Ask for the resume of a service on the page of its incident, and return what that page says then."""
    await kim.send(await kim.get(INCIDENT), f"{INCIDENT}/control", **ORDER)
    return (await kim.get(INCIDENT)).text


async def test_another_person_agrees_in_a_browser(people):
    """Who asked is offered no button to agree; the other sees what will be written, agrees, and it is done so."""
    work, tokens, sign_in = people
    kim = await sign_in("kim")
    assert "waits under Approvals" in await ask(kim)
    own = (await kim.get(HERE)).text
    assert ("/approve" in own, "&lt;b&gt;fixed" in own, "<b>fixed" in own) == (False, True, False)
    async with opened(work) as (tab, address):
        await tab.goto(f"{address}{HERE}")
        await come_in(tab, "", tokens["ann"])
        await shown(tab, HERE, "1 request waits for another person")
        await tab.click("details summary")
        assert '"control": "resume"' in await tab.inner_text("pre")
        assert await wrong_on(tab, HERE) == []
        await tab.click("form[action$=approve] button")
        await shown(tab, HERE, "Approved. It is carried out now")
        assert await tab.locator("table.rows tbody tr").count() == 1
        assert "approved by ann" in await tab.inner_text("table.rows")
        assert await complaints(tab) == []
    await until(lambda: work.approvals.requests.all()[0].done)
    assert await lifted(work) == [("kim", "<b>fixed", "watchkeeper/console")]


async def test_who_can_t_wait_does_it_alone_and_says_why(people):
    """Not without a reason; the page says from then on that it was done alone. A viewer decides nothing."""
    work, _, sign_in = people
    kim, vic = await sign_in("kim"), await sign_in("vic")
    await ask(kim)
    [asked] = work.approvals.requests.all()
    glass = f"{HERE}/{asked.request.request_id}/break-glass"
    refused = await kim.send(await kim.get(HERE), glass, reason="no time")
    assert (refused.status_code, "5 words or more" in refused.text) == (409, True)
    seen = (await vic.get(HERE)).text
    assert ("lift the kill switch of shop" in seen.lower(), "break-glass" in seen, "/refuse" in seen) == (
        True,
        False,
        False,
    )
    assert (await kim.send(await kim.get(HERE), glass, reason="nobody else is awake tonight")).status_code == 303
    await until(lambda: work.approvals.requests.all()[0].done)
    after = (await vic.get(HERE)).text
    assert all(text in after for text in ("done alone</b> by kim", "nobody else is awake tonight", "Nothing waits"))
    assert len(await lifted(work)) == 1
    incident = await until(lambda: [each for each in work.held.folding.incidents() if each.metric == "broken_glass"])
    assert "kim broke the glass" in (await vic.get(f"/console/incidents/{incident[0].incident_id}")).text


async def test_a_mute_of_a_severe_family_waits_and_is_taken_back(people):
    """The page of tickets says that it waits; who asked takes it back, and nothing was muted."""
    work, _, sign_in = people
    kim = await sign_in("kim")
    mute = {"decision": "mute", "service_name": "shop", "metric": "leak", "for": "1h", "reason": "noise"}
    await kim.send(await kim.get("/console/findings"), "/console/findings", **mute)
    assert "waits under Approvals" in (await kim.get("/console/findings")).text
    [asked] = work.approvals.requests.all()
    page = await kim.get(HERE)
    assert "Mute leak of shop until" in page.text
    await kim.send(page, f"{HERE}/{asked.request.request_id}/refuse")
    assert work.approvals.requests.all()[0].decided.step == "refused"
    assert "refused by kim" in (await kim.get(HERE)).text
