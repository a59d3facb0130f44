"""What is done on the page of an incident is done through the API's own functions, once, by whoever signed in."""

import asyncio
import re
from contextlib import suppress

import pytest
from pydantic import SecretStr

from schemas.topics import ACTIONS, FINDINGS
from schemas.wire import encode
from streams.api import incidents as incidents_api
from streams.incidents.worker import NEEDED, Incidents
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Message, Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.worker.faust_app import LogBatch
from streams.worker.parts import Parts
from tests.support.console import TOKEN, signed_in
from tests.support.incidents.entries import page
from tests.support.waiting import PATIENCE_SECONDS

PATH = "/console/incidents/inc-p"


@pytest.fixture
async def work(kafka_settings, monkeypatch):
    """The incidents of a worker over a real log, which takes in what is said as it is written."""
    monkeypatch.setattr(incidents_api, "FOLDED_SECONDS", PATIENCE_SECONDS)
    settings = kafka_settings.model_copy(update={"api_token": SecretStr(TOKEN), "sql_port": 1})
    publisher = Publisher(client_arguments(settings))
    made = Incidents(Parts(settings, check_topics(settings, NEEDED), publisher, lambda: True))
    await publisher.start()
    await publisher.publish([Message(settings.topic(FINDINGS.name), encode(page()), b"a")])
    await made.incident_log()
    reading = asyncio.create_task(take_in(made))
    yield made
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
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
