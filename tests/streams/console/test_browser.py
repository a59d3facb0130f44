"""The console in a real browser: its own policy blocks nothing, keys work, forms act, and without scripts too."""

import pytest

from tests.streams.console.test_acting import work  # noqa: F401  a worker that takes in what is said
from tests.support.console import TOKEN, opened, signed_in

pytestmark = pytest.mark.kafka

PATH = "/console/incidents/inc-p"
SIGN_IN = f"""
document.querySelector("[name=name]").value = "kim";
document.querySelector("[name=token]").value = "{TOKEN}";
document.querySelector("form.card button").click();
"""


def arrived(path, text=""):
    """Return a script that tells whether a page is there."""
    shown = f"document.body.innerText.includes('{text}')"
    return f"location.pathname === '{path}' && document.readyState === 'complete' && {shown}"


async def test_somebody_is_led_from_a_notification_to_the_acknowledgement(work, tmp_path):  # noqa: F811
    """The link asks who is there, leads on, a key acknowledges, what others do shows by itself, nothing is blocked."""
    async with opened(work, tmp_path) as (tab, address):
        await tab.open(f"{address}/incidents/inc-p/page")
        await tab.until(arrived("/console/sign-in"))
        await tab.run(SIGN_IN)
        await tab.until(arrived(PATH, "nobody has it"))
        await tab.press("m")
        await tab.until("document.querySelector('details[open] select') === document.activeElement")
        await tab.run("document.activeElement.blur()")
        await tab.press("a")
        await tab.until(arrived(PATH, "kim has it"))
        await tab.run("window.loaded = 'once'; document.activeElement.blur()")
        ann = await signed_in(work, "ann")
        await ann.send(await ann.get(PATH), f"{PATH}/assign", assignee_id="bo")
        await tab.until(arrived(PATH, "bo has it"))
        assert await tab.run("window.loaded") == "once"
        assert tab.complaints == []
        await tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        await tab.open(address + PATH)
        await tab.ask("Emulation.setScriptExecutionDisabled", value=False)
        assert await tab.run("document.querySelectorAll('details form').length") >= 4
    steps = work.held.folding.fold.incidents["inc-p"].steps[1:]
    assert [(step.name, step.by) for step in steps] == [("acknowledged", "kim"), ("assigned", "ann")]
