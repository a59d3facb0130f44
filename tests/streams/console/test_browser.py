"""The console in a real browser: its own policy blocks nothing, keys work, forms act, and without scripts too."""

import pytest
from playwright.async_api import TimeoutError as NotYet

from tests.streams.console.test_acting import work  # noqa: F401  a worker that takes in what is said
from tests.support.browser import another, complaints, shown
from tests.support.console import come_in, opened, signed_in

pytestmark = pytest.mark.kafka

PATH = "/console/incidents/inc-p"


async def test_somebody_is_led_from_a_notification_to_the_acknowledgement(work):  # noqa: F811
    """The link asks who is there, leads on, a key acknowledges, what others do shows by itself, nothing is blocked."""
    async with opened(work) as (tab, address):
        await tab.goto(f"{address}/incidents/inc-p/page")
        await shown(tab, "/console/sign-in")
        await come_in(tab)
        await shown(tab, PATH, "nobody has it")
        await tab.keyboard.press("m")
        await tab.wait_for_selector("details[open] select:focus")
        await tab.evaluate("document.activeElement.blur()")
        await tab.keyboard.press("a")
        await shown(tab, PATH, "kim has it")
        await tab.evaluate("window.loaded = 'once'; document.activeElement.blur()")
        ann = await signed_in(work, "ann")
        await ann.send(await ann.get(PATH), f"{PATH}/assign", assignee_id="bo")
        await shown(tab, PATH, "bo has it")
        assert await tab.evaluate("window.loaded") == "once"
        assert await complaints(tab) == []
        plain = await another(tab, scripts=False, signed_in=True)
        await plain.goto(address + PATH)
        assert await plain.locator("details form").count() >= 4
    steps = work.held.folding.fold.incidents["inc-p"].steps[1:]
    assert [(step.name, step.by) for step in steps] == [("acknowledged", "kim"), ("assigned", "ann")]


async def test_a_page_that_is_of_before_says_so(work):  # noqa: F811
    """Who is signed out in another tab, or whose server is away, sees within half a minute that nothing is renewed."""
    async with opened(work) as (tab, address):
        await tab.clock.install()
        await tab.goto(address + PATH)
        await come_in(tab)
        await shown(tab, PATH, "nobody has it")
        other = await tab.context.new_page()
        await other.goto(address + PATH)
        await tab.clock.run_for(31_000)
        await tab.wait_for_selector("#away", state="hidden")
        await other.click("form[action='/console/sign-out'] button")
        await shown(other, "/console/sign-in")
        await tab.clock.run_for(31_000)
        with pytest.raises(NotYet):
            await tab.wait_for_selector("#away", state="hidden", timeout=12_000)
