"""Every page with something on it, in a real browser: axe-core finds nothing wrong, light, dark and on a phone."""

import json
import os
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.streams.console.test_findings import ticket
from tests.streams.console.test_governance import insert, placed
from tests.streams.console.test_incident import RATE, store_events
from tests.support.browser import complaints, shown, size
from tests.support.console import NOW, come_in, held, hours, minutes, opened
from tests.support.histories import fill
from tests.support.incidents.entries import act, back, change, page

pytestmark = pytest.mark.store

AXE = files("axe_core_python").joinpath("axe.min.js").read_text()
RUN = """axe.run({runOnly: %s}).then((found) =>
    JSON.stringify(found.violations.map((each) => [each.id, each.nodes.map((node) => node.html.slice(0, 200))])))"""
ALL, CONTRAST = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"], ["color-contrast"]
WIDER = "document.documentElement.scrollWidth > window.innerWidth"
PAGES = {
    "now": "", "incidents": "incidents?state=", "incident": "incidents/inc-p", "review": "review",
    "disagreements": "review/disagreements", "findings": "findings", "backtest": "backtest", "telemetry": "telemetry",
    "kpis": "kpis?days=1", "service": "services/shop?days=1",
    "versions": "versions/shop?days=1&subject=prompt", "changes": "changes", "approvals": "approvals",
}  # fmt: skip
PICTURES = Path(os.environ.get("WATCHKEEPER_PICTURES", ""))
"""Where pictures of the pages go, for the documentation; nowhere where it is empty."""


def store_a_day(client):
    """Store what a day brings: rates, tickets, a change, a canary, controls, refused records, labels."""
    said = [ticket(f"x{n}", n * 90, ("shop", "mail", "docs")[n % 3]) | {
        "evidence": f"p95 rose from 820 ms to {1_640 + 7 * n:,} ms in {340 + n} calls"} for n in range(9)]  # fmt: skip
    services = [*hours("shop", unsafe=lambda ago: 40 if ago < 3 else 3), *hours("mail"), *hours("docs")]
    owned = {"service_name": "shop", "tier": "critical", "owner": "shop team", "runbook": "runbooks/shop",
             "required_guards": ["pii"], "published_at": NOW - timedelta(days=1)}  # fmt: skip
    fill(client, findings=said, service_hours=services, service_policies=[owned],
         service_minutes=[minutes("shop"), minutes("mail"), minutes("docs", 7_200)])  # fmt: skip
    store_events(client, "shop")
    began = {
        "change_id": "k",
        "subject_type": "prompt",
        "subject_name": "assistant",
        "to_version": "42",
        "gate_name": "canary",
        "action": "started",
        "initiator_id": "deploy bot",
        "reason": "shorter answers",
    }
    insert(client, "changes", placed([began], -400))
    kim = {"actor_kind": "human", "actor_id": "kim"}
    insert(client, "controls", placed([{"control": "review_required", "reason": "leaks", **kim}]))
    insert(client, "incident_actions", placed([{"action": "acknowledge", **kim, "incident_id": "inc-q"}]))
    quiet = {"decision": "mute", **kim, "service_name": "docs", "metric": "latency", "reason": "load test",
             "expires_at": NOW + timedelta(hours=5)}  # fmt: skip
    insert(client, "triage", placed([quiet]))
    refused = {"origin_topic": "inference.v1", "reason": "not_json", "detail": "no JSON at byte 7", "value": "{"}
    insert(client, "dead_letters", [{"time": NOW, "origin_offset": n} | refused for n in range(3)])
    item = {"queue": "safety", "sampling_method": "stratified", "sampling_probability": 0.1, "reviewers": 2}
    insert(client, "review_items", placed([item | {"target_event_id": f"e{n}"} for n in range(2)]))
    judged = {"target_event_id": "e1", "annotator_kind": "human", "evaluation_name": "harm_review"}
    insert(client, "review_labels", placed([judged | {"label": label, "annotator_pseudo_id": label}
                                            for label in ("safe", "unsafe")]))  # fmt: skip


def incidents(settings):
    """Return a worker that holds an incident that nobody has, one that somebody has, and one of last week."""
    return held(
        settings.model_copy(update={"control_key": SecretStr("key")}),
        page("old", -290_000, service="shop"), act("mitigate", -289_000, "inc-old", mitigation_kind="rollback"),
        back("old", -280_000, service="shop"), act("close", -279_000, "inc-old"),
        page(service="shop", onset=-300, **RATE), change(-400, service="shop", subject="prompt", version="42"),
        page("q", 200, service="mail", family="unsafe"), act("acknowledge", 260, "inc-q"),
    )  # fmt: skip


async def wrong_on(tab, name):
    """Return what axe-core finds wrong on a page, light and dark, and where it is wider than a phone."""
    await tab.evaluate(AXE)
    found = []
    for dark, rules in ((True, CONTRAST), (False, ALL)):
        await size(tab, 1280, 900, dark=dark)
        found += json.loads(await tab.evaluate(RUN % json.dumps(rules)))
    await size(tab, 390, 844)
    found += [["wider than a phone", name]] if await tab.evaluate(WIDER) else []
    return found


async def test_nothing_is_wrong_with_any_page(client, settings):
    """Contrast, names, order, landmarks: no violation on any page that has something on it, signed in or not."""
    store_a_day(client)
    async with opened(incidents(settings)) as (tab, address):
        await tab.goto(f"{address}/console/")
        await shown(tab, "/console/sign-in")
        wrong = {"sign-in": await wrong_on(tab, "sign-in")}
        await come_in(tab)
        await shown(tab, "/console/")
        for name, path in PAGES.items():
            await tab.goto(f"{address}/console/{path}")
            wrong[name] = await wrong_on(tab, name)
            if PICTURES.name:
                await size(tab, 1280, 900)
                await tab.screenshot(path=PICTURES / f"console-{name}.png")
        assert {name: found for name, found in wrong.items() if found} == {}
        assert await complaints(tab) == []
