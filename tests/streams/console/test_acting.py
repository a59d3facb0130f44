"""What is done on the page of an incident is done through the API's own functions, once, by whoever signed in."""

import asyncio
import re

import pytest
from pydantic import SecretStr

from schemas.controls import Control
from schemas.topics import ACTIONS, CONTROLS, FINDINGS
from schemas.wire import encode
from streams.api import incidents as incidents_api
from streams.incidents.worker import NEEDED, Incidents
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts
from tests.faults.log import decoded
from tests.support.console import TOKEN, Browser, signed_in
from tests.support.incidents.entries import page
from tests.support.waiting import PATIENCE_SECONDS

PATH = "/console/incidents/inc-p"


POLICY = """
duties: [{name: GDPR Art. 33, families: [leak], hours: 72}, {name: AI Act Art. 73, hours: 360}]
controls: [{name: leaks pause it, when: {family: leak}, do: pause}]
"""


@pytest.fixture
async def work(kafka_settings, monkeypatch, tmp_path):
    """The incidents of a worker over a real log, which takes in what is said as it is written."""
    monkeypatch.setattr(incidents_api, "FOLDED_SECONDS", PATIENCE_SECONDS)
    settings = kafka_settings.model_copy(
        update={"api_token": SecretStr(TOKEN), "sql_port": 1, "control_key": SecretStr("key"),
                "policy": tmp_path / "policy.yaml"}
    )  # fmt: skip
    settings.policy.write_text(POLICY)
    publisher = Publisher(client_arguments(settings))
    made = Incidents(Parts(settings, check_topics(settings, NEEDED), publisher, lambda: True))
    await publisher.start()
    await publisher.publish([Message(settings.topic(FINDINGS.name), encode(page()), b"a")])
    await made.incident_log()
    reading = asyncio.create_task(take_in(made))
    yield made
    reading.cancel()
    await asyncio.wait([reading], timeout=PATIENCE_SECONDS)
    assert reading.cancelled()
    await made.forget()
    await publisher.stop()


async def take_in(work):
    """Hand the worker what the topic of actions holds, again and again; a repeat changes nothing."""
    state = check_topics(work.settings, [ACTIONS])[work.settings.topic(ACTIONS.name)]
    while True:
        records = [record async for record in LogReader(client_arguments(work.settings)).whole([state])]
        if records:
            await work.take(LogBatch(state, records[0].partition, tuple(records), lambda: None))
        await asyncio.sleep(0.05)


def steps(work):
    """Return what was done: name, by whom, why."""
    incident = work.held.folding.fold.incidents["inc-p"]
    return [(step.name, step.by, step.reason) for step in incident.steps[1:]]


async def test_duties_are_met_and_corrections_named_without_a_script(work):
    """Each form offers what is left: a duty once, the probes there are, rules of the policy; waiving needs a why."""
    kim = await signed_in(work)
    shown = await kim.get(PATH)
    assert shown.text.count("<option>GDPR Art. 33</option>") == 2
    assert '<option value="rule:leaks pause it">' in shown.text
    assert '<option value="probe:exfiltration">' in shown.text
    await kim.send(shown, f"{PATH}/report", about="GDPR Art. 33", reason="by mail")
    shown = await kim.get(PATH)
    assert "<option>GDPR Art. 33</option>" not in shown.text
    bare = await kim.send(shown, f"{PATH}/waive", about="AI Act Art. 73")
    assert (bare.status_code, "say why the duty does not apply" in bare.text) == (409, True)
    await kim.send(shown, f"{PATH}/waive", about="AI Act Art. 73", reason="no high risk")
    shown = await kim.get(PATH)
    assert f"{PATH}/waive" not in shown.text
    await kim.send(shown, f"{PATH}/correct", about="rule:leaks pause it")
    refused = await kim.send(await kim.get(PATH), f"{PATH}/correct", about="something")
    assert (refused.status_code, "probe:NAME" in refused.text) == (409, True)
    assert steps(work) == [
        ("reported", "kim", "by mail"), ("waived", "kim", "no high risk"), ("corrected", "kim", None),
    ]  # fmt: skip


async def test_an_incident_is_acknowledged_mitigated_noted_and_resolved(work):
    """Each is a step under the name of who signed in; sending a form again does nothing twice."""
    kim = await signed_in(work)
    shown = await kim.get(PATH)
    for _ in range(2):
        done = await kim.send(shown, f"{PATH}/acknowledge")
        assert (done.status_code, done.headers["location"]) == (303, PATH)
    shown = await kim.get(PATH)
    assert "kim has it" in shown.text
    assert "Acknowledge: done." in shown.text
    await kim.send(shown, f"{PATH}/mitigate", mitigation_kind="rollback", reason="prompt 41 again")
    await kim.send(shown, f"{PATH}/note", reason="<b>seen</b>")
    await kim.send(await kim.get(PATH), f"{PATH}/close")
    shown = await kim.get(PATH)
    await kim.send(shown, f"{PATH}/reopen", reason="not over")
    assert steps(work) == [
        ("acknowledged", "kim", None), ("mitigated", "kim", "prompt 41 again"), ("noted", "kim", "<b>seen</b>"),
        ("closed", "kim", None), ("reopened", "kim", "not over"),
    ]  # fmt: skip
    assert work.held.folding.fold.incidents["inc-p"].mitigation == "rollback"
    assert "&lt;b&gt;seen&lt;/b&gt;" in shown.text


async def test_an_incident_is_given_to_somebody_who_then_has_it(work):
    """Its clock runs on until it is acknowledged; from then on whoever it was given to has it."""
    kim = await signed_in(work)
    shown = await kim.get(PATH)
    await kim.send(shown, f"{PATH}/assign", assignee_id="<i>ann", reason="her service")
    shown = await kim.get(PATH)
    assert "nobody has it, given to &lt;i&gt;ann" in shown.text
    assert "to &lt;i&gt;ann · her service" in shown.text
    assert "nobody has it</b>, given to &lt;i&gt;ann" in (await kim.get("/console/")).text
    await kim.send(shown, f"{PATH}/acknowledge")
    assert "kim has it" in (await kim.get(PATH)).text
    await kim.send(await kim.get(PATH), f"{PATH}/assign", assignee_id="bo")
    assert "bo has it" in (await kim.get(PATH)).text
    nobody = await kim.send(await kim.get(PATH), f"{PATH}/assign", assignee_id="")
    assert (nobody.status_code, "to whom it is to be given" in nobody.text) == (409, True)
    assert [name for name, _, _ in steps(work)] == ["assigned", "acknowledged", "assigned"]


async def test_a_control_is_asked_for_with_the_name_of_its_service(work):
    """Signed, under the name of who signed in, about this incident; without the name, or a reason, nothing is sent."""
    kim = await signed_in(work)
    shown = await kim.get(PATH)
    order = {"control": "kill_switch", "service": "a", "reason": "<b>leaks", "for": "2h", "confirm": "a"}
    for wrong, said in (({"confirm": "yes"}, "write the name of the service: a"), ({"reason": " "}, "say why"),
                        ({"for": "soon"}, "is no duration"), ({"service": "b", "confirm": "b"}, "choose one"),
                        ({"control": "promote"}, "choose one")):  # fmt: skip
        refused = await kim.send(shown, f"{PATH}/control", **order | wrong)
        assert (refused.status_code, said in refused.text) == (409, True), wrong
    done = await kim.send(shown, f"{PATH}/control", **order)
    assert done.status_code == 303
    assert "Kill switch was asked of a." in (await kim.get(PATH)).text
    [control] = await asyncio.to_thread(decoded, work.settings, CONTROLS, Control)
    assert (control.control, control.actor_id, control.reason, control.incident_id, control.source) == (
        "kill_switch", "kim", "<b>leaks", "inc-p", "watchkeeper/console",
    )  # fmt: skip
    assert control.expires_at - control.time_unix_nano == 7_200 * 10**9


async def test_a_source_is_put_under_quarantine_and_given_free(work):
    """Not without its name, and of a service by its name; other controls have none, whatever the field says."""
    kim = await signed_in(work)
    shown = await kim.get(PATH)
    order = {
        "control": "quarantine",
        "service": "a",
        "reason": "poisoned",
        "confirm": "a",
        "source": "wiki",
        "for": "2h",
    }
    bare = await kim.send(shown, f"{PATH}/control", **order | {"source": " "})
    assert (bare.status_code, "the source of documents that it is about" in bare.text) == (409, True)
    for control in ("quarantine", "release", "pause"):
        page = await kim.get(PATH)  # each form is sent once
        assert (await kim.send(page, f"{PATH}/control", **order | {"control": control})).status_code == 303
    said = await asyncio.to_thread(decoded, work.settings, CONTROLS, Control)
    assert [(each.control, each.data_source_id, each.expires_at is None) for each in said] == [
        ("quarantine", "wiki", False), ("release", "wiki", True), ("pause", None, False),
    ]  # fmt: skip


async def test_a_page_is_told_that_something_happened(work):
    """Whoever has not seen the newest state is told at once; whoever has is told as soon as there is another."""
    kim = await signed_in(work)
    first = await kim.get("/console/live", headers={"Last-Event-ID": "before a restart"})
    assert (first.status_code, first.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    number = re.search(r"^id: (\d+)$", first.text, re.MULTILINE).group(1)
    await kim.send(await kim.get(PATH), f"{PATH}/note", reason="b")
    later = await kim.get("/console/live", headers={"Last-Event-ID": number})
    assert f"id: {work.revision}\n" in later.text
    assert str(work.revision) != number
    stranger = Browser(work)
    assert (await stranger.get("/console/live")).status_code == 303


async def test_a_stale_page_acts_on_nothing_and_says_what_happened_meanwhile(work):
    """Two people at once: the second is told what the first did, and only a note is still taken from an old page."""
    kim, ann = await signed_in(work), await signed_in(work, "ann")
    old = await ann.get(PATH)
    await kim.send(await kim.get(PATH), f"{PATH}/false_positive", reason="a test of ours")
    refused = await ann.send(old, f"{PATH}/mitigate", mitigation_kind="kill_switch")
    assert refused.status_code == 409
    said = re.search(r'role="alert">.*?</div>', refused.text, re.DOTALL).group()
    assert all(text in said for text in ("Nothing was done", "closed by kim", "a test of ours"))
    assert (await ann.send(old, f"{PATH}/note", reason="I saw it too")).status_code == 303
    assert [name for name, _, _ in steps(work)] == ["closed", "noted"]


async def test_what_is_not_possible_is_refused_in_words(work):
    """An unknown measure, an action that no button has, an incident that nobody knows, a form without its secret."""
    kim = await signed_in(work)
    shown = await kim.get(PATH)
    wrong = await kim.send(shown, f"{PATH}/mitigate", mitigation_kind="prayer")
    assert (wrong.status_code, "a measure is of the list" in wrong.text) == (422, True)
    merged = await kim.send(shown, f"{PATH}/merge", into_incident_id="inc-p")
    assert (merged.status_code, "into which other incident" in merged.text) == (409, True)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    secret = re.search(r'name="csrf" value="([^"]+)"', shown.text).group(1)
    for path, body, code in (
        (f"{PATH}/escalate", f"csrf={secret}", 404), (f"{PATH}/dance", f"csrf={secret}", 422),
        ("/console/incidents/inc-x/note", f"csrf={secret}&reason=a", 404), (f"{PATH}/note", "reason=a", 403),
    ):  # fmt: skip
        assert (await kim.client.post(path, content=body, headers=form)).status_code == code, path
    assert steps(work) == []
