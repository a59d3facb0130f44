"""The recorded leak as on-call engineers meet it: a whole `watchkeeper up`, a notice, a browser, until it is over."""

import asyncio
import os
import signal
import time

import pytest
from msgspec import structs

from schemas.reviews import ReviewLabel
from schemas.topics import REVIEWS
from streams.replay.send import Replay
from tests.chain.test_leak import LEAK, SPEED, cut, events, seconds  # noqa: F401  what the leaking service sent
from tests.faults.conftest import up  # noqa: F401
from tests.faults.log import decoded
from tests.support.browser import another, browser, complaints, shown
from tests.support.hook import Hook
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

POLICY = "receivers: [{{name: us, kind: webhook, url: '{}/hook'}}]\n"
LABELS = 20


@pytest.fixture
def phone():
    """Whoever is paged."""
    hook = Hook()
    yield hook
    hook.stop()


@pytest.fixture
def running(up, phone, tmp_path):  # noqa: F811
    """An installation that pages."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(POLICY.format(phone.url))
    made = up(tmp_path / "data", WATCHKEEPER_POLICY=policy, WATCHKEEPER_RECEIVERS_PRIVATE="127.0.0.1")
    made.runs()
    return made


@pytest.fixture
def recent(events):  # noqa: F811
    """Return what was sent before the end of the leak and after it, as of today: nobody is told of yesterday."""
    end = seconds(LEAK["end"])
    events = [each for each in events if each.time_unix_nano < (end + 20 * 3_600) * 1e9]
    later = time.time_ns() - events[-1].time_unix_nano
    return [
        [structs.replace(each, time_unix_nano=each.time_unix_nano + later) for each in part]
        for part in cut(events, end - 900)
    ]


async def come_in(tab, settings, name):
    """Sign in with the token of the installation."""
    await tab.fill("[name=name]", name)
    await tab.fill("[name=token]", (settings.data_dir / "api-token").read_text().strip())
    await tab.click("form.card button")


async def until(what):
    """Wait for something outside of the browser."""
    await asyncio.to_thread(wait_until, what, 100)


def told(phone, transition):
    """Return what was said of a transition."""
    return [each for each in phone.bodies() if each["transition"] == transition]


async def test_from_the_notice_to_the_recovery(running, phone, recent):
    """Its link opens; a key takes it; two people see the same; a restart and the recovery show in the open page."""
    during, after = recent
    await asyncio.to_thread(Replay(running.settings, SPEED).run, during)
    await until(lambda: told(phone, "detected"))
    [notice] = told(phone, "detected")
    here = f"/console/incidents/{notice['incident_id']}"
    async with browser() as kim:
        await kim.goto(notice["links"][0]["href"])
        await come_in(kim, running.settings, "kim")
        await shown(kim, here, "nobody has it")
        ann = await another(kim)
        await ann.goto(kim.url)
        await come_in(ann, running.settings, "ann")
        await shown(ann, here, "nobody has it")
        await kim.keyboard.press("a")
        await shown(kim, here, "kim has it")
        await shown(ann, here, "kim has it")
        await ann.evaluate("window.loaded = 'once'")
        worker = running.part("incidents")["pid"]
        os.kill(worker, signal.SIGKILL)
        await until(lambda: running.part("incidents").get("pid") not in {None, worker})
        await asyncio.to_thread(running.runs)
        await kim.keyboard.press("m")
        await kim.select_option("details[open] select", "rollback")
        await kim.click("details[open] button.main")
        await shown(ann, here, "mitigated")
        await asyncio.to_thread(Replay(running.settings, SPEED).run, after)
        await until(lambda: told(phone, "recovered"))
        await shown(ann, here, "recovered")
        assert await ann.evaluate("window.loaded") == "once"
        await _twenty(kim, running.settings)
        away = "Failed to load resource: net::"  # while the worker was
        assert [each for each in await complaints(kim) if away not in each] == []
    assert [len(told(phone, each)) for each in ("detected", "acknowledged", "mitigated", "recovered")] == [1, 1, 1, 1]


async def _twenty(tab, settings):
    """Label twenty items with nothing but keys, and take one back."""
    await tab.goto(tab.url.split("/incidents")[0] + "/review")
    judged = []
    for number in range(LABELS):
        event = await tab.input_value("[name=event]")
        judged.append(event)
        await tab.keyboard.press("21"[number % 2])
        await tab.wait_for_function(
            "(before) => ![undefined, before].includes(document.querySelector('[name=event]')?.value)", arg=event
        )
    await tab.keyboard.press("z")
    await shown(tab, "/console/review", "Judge it again")
    await tab.keyboard.press("3")
    await shown(tab, "/console/review", "You said Borderline")
    said = await asyncio.to_thread(decoded, settings, REVIEWS, ReviewLabel)
    people = [(each.target_event_id, each.label) for each in said if each.annotator_kind == "human"]
    labels = ["unsafe", "safe"] * (LABELS // 2)
    assert people == [*zip(judged, labels, strict=True), (judged[-1], "borderline")]
    assert len(set(judged)) == LABELS
