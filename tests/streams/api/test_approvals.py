"""What takes two persons waits for another who may do it too, is done word for word then, or alone with a page."""

import asyncio

import pytest
from msgspec.structs import replace

from schemas.approvals import Approval
from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.findings import Finding
from schemas.topics import APPROVALS, CHANGES, CONTROLS, ERASURES, FINDINGS, TRIAGE
from schemas.triage import Triage
from schemas.wire import encode
from streams.access.principals import create, tokens_file
from streams.audit.published import entries
from streams.health.problems import PROBLEMS
from streams.incidents.requests.signing import signed
from streams.kafka.publisher import Message
from streams.policy.policy import load_policy
from tests.faults.log import decoded, log
from tests.support.approvals import control, stopped, two, until, working
from tests.support.console import Browser

RESUME = {"service_name": "shop", "control": "resume", "reason": "fixed"}
GLASS = "customers can't reach emergency services"


class People:
    """Those who ask and decide, each with a token."""

    def __init__(self, work, tokens):
        self.work, self.tokens = work, tokens
        self.client = Browser(work).client

    async def post(self, who, path, **body):
        """Return the answer to somebody's request."""
        bearer = {"Authorization": f"Bearer {self.tokens[who]}"}
        return await self.client.post(path, json=body, headers=bearer)

    async def asked(self, who, path, **body):
        """Ask for what waits for another person, and return where that is said."""
        answer = await self.post(who, path, **body)
        assert (answer.status_code, "nothing is done yet" in answer.json()["detail"]) == (202, True), answer.text
        return f"/approvals/{answer.json()['request_id']}"

    async def state(self, path):
        """Return what became of a request, as a viewer sees it."""
        shown = await self.client.get("/approvals", headers={"Authorization": f"Bearer {self.tokens['vic']}"})
        [found] = [each for each in shown.json()["requests"] if each["request_id"] == path.rpartition("/")[2]]
        return found

    async def held(self, topic, kind):
        """Return what a topic holds."""
        return await asyncio.to_thread(decoded, self.work.settings, topic, kind)


@pytest.fixture
async def people(kafka_settings, tmp_path):
    """People, and a worker that does what they agree about."""
    settings, tokens = two(kafka_settings, tmp_path)
    async with working(settings) as work:
        yield People(work, tokens)


async def test_a_kill_switch_is_lifted_once_another_person_agrees(people):
    """Not by who asked, with whichever token, nor by who may not ask; then as it was asked for, and once."""
    first = await people.post("kim", "/controls", **RESUME)
    assert (first.status_code, set(first.json())) == (202, {"event_id"})
    await stopped(people.work)
    path = await people.asked("kim", "/controls", **RESUME)
    people.tokens["again"] = create(tokens_file(people.work.settings), "KIM", ("admin",), 86_400)
    for who, said, code in (
        ("kim", "another person has to agree", 409), ("again", "another person has to agree", 409),
        ("", "is nobody's", 409), ("vic", "do not allow this", 403),
    ):  # fmt: skip
        refused = await people.post(who, f"{path}/approve")
        assert (refused.status_code, said in refused.json()["detail"]) == (code, True), who
    assert (await people.post("ann", f"{path}/break-glass", reason=GLASS)).status_code == 409
    before = await people.held(CONTROLS, Control)
    done = await people.post("ann", f"{path}/approve")
    assert (done.status_code, done.json()["decided_by"]) == (200, "ann")
    await until(lambda: people.work.approvals.requests.all()[0].done)
    assert (await people.post("ann", f"{path}/refuse")).status_code == 409
    after = await people.held(CONTROLS, Control)
    [asked] = (await people.state(path))["content"]
    assert (after[: len(before)], len(after)) == (before, len(before) + 1)
    assert (after[-1].event_id, after[-1].control, after[-1].actor_id) == (asked["event_id"], "resume", "kim")
    assert (await people.state(path))["state"] == "carried_out"
    assert (await people.post("kim", "/controls", **RESUME)).json().keys() == {"event_id"}
    steps = [each.step for each in await people.held(APPROVALS, Approval)]
    assert steps == ["requested", "approved", "carried_out"]


async def test_who_breaks_the_glass_is_paged_to_the_others(people):
    """It takes a reason; it is done at once, and a page says who did what alone, and why."""
    await stopped(people.work)
    path = await people.asked("kim", "/controls", **RESUME)
    short = await people.post("kim", f"{path}/break-glass", reason="no time")
    assert (short.status_code, "5 words or more" in short.json()["detail"]) == (409, True)
    assert (await people.post("kim", f"{path}/break-glass", reason=GLASS)).status_code == 200
    await until(lambda: people.work.approvals.requests.all()[0].done)
    lifted = (await people.held(CONTROLS, Control))[-1]
    assert (lifted.control, lifted.actor_id) == ("resume", "kim")
    incidents = await until(
        lambda: [each for each in people.work.held.folding.incidents() if each.metric == "broken_glass"]
    )
    assert (incidents[0].service, incidents[0].severity) == ("shop", "sev2")
    [page] = [each for each in await people.held(FINDINGS, Finding) if each.metric == "broken_glass"]
    assert (page.severity, page.evidence) == (
        "page", "kim broke the glass and did alone what takes two persons: lift the kill switch of shop. " + GLASS,
    )  # fmt: skip


async def test_what_is_not_ours_does_not_count_and_is_paged(people):
    """A step in another's name without the installation's signature, or with another; a resume past the API."""
    await stopped(people.work)
    path = await people.asked("kim", "/controls", **RESUME)
    [request] = await people.held(APPROVALS, Approval)
    forged = replace(request, event_id="f", step="approved", actor_id="ann", content=None, expires_at=None)
    topic = people.work.settings.topic(APPROVALS.name)
    [original] = (await asyncio.to_thread(log, people.work.settings, APPROVALS))[0]
    for headers in ((), original.headers, [("watchkeeper-signature", b"v1=" + b"0" * 64)]):
        await people.work.publisher.publish([Message(topic, encode(forged), b"k", headers=headers)])
    as_control = signed(people.work.settings, control("resume", 0, "mail"))
    await people.work.publisher.publish([Message(topic, encode(forged), b"k", headers=as_control.headers)])
    alone = control("resume", 0, name="alone", when=request.time_unix_nano)
    await people.work.publisher.publish([signed(people.work.settings, alone)])

    async def pages():
        return {each.metric: each for each in await people.held(FINDINGS, Finding) if each.detector == "two_persons"}

    while len(found := await pages()) < 2:  # noqa: ASYNC110  a topic tells nobody
        await asyncio.sleep(0.05)
    assert set(found) == {"forged_approval", "lifted_alone"}
    assert "kim lifted the kill switch of shop alone" in found["lifted_alone"].evidence
    assert ((await people.state(path))["state"], len(await people.held(CONTROLS, Control))) == ("pending", 2)


async def test_a_policy_a_mute_and_an_erasure_wait_too(people):
    """Each is done as asked once another agrees who may ask for it; what is refused is not; the rest needs nobody."""
    mute = {"decision": "mute", "service_name": "shop", "reason": "noise", "for": "1h"}
    assert (await people.post("kim", "/triage", **mute, metric="latency")).json() == {"said": 1}
    muted = await people.asked("kim", "/triage", **mute, metric="goal_hijack")
    erased = await people.asked("ada", "/erasures", subject="user", value="u-4711", reason="asked for it")
    policy = load_policy(people.work.settings.policy).model_dump(mode="json", by_alias=True)
    change = {"before": {}, "policy": policy, "reason": "two see more", "effective_from": "2026-03-02T09:00:00+01:00"}
    published = await people.asked("ada", "/policies", **change)
    assert (await people.state(published))["what"].startswith("publish the policy ")
    assert "u-4711" not in str(await people.state(erased))
    for path in (erased, published):
        assert (await people.post("ann", f"{path}/approve")).status_code == 403
        assert (await people.post("bob", f"{path}/approve")).status_code == 200
    assert (await people.post("ann", f"{muted}/refuse", reason="no")).json()["state"] == "refused"
    await until(lambda: not people.work.approvals.requests.due())
    assert [each.metric for each in await people.held(TRIAGE, Triage)] == ["latency"]
    assert [each.actor_id for each in await people.held(ERASURES, Erasure)] == ["ada"] * 2  # the id, its pseudonym
    [made] = await people.held(CHANGES, Change)
    assert (made.initiator_id, made.approver_ids, made.reason) == ("ada", ["bob"], "two see more")
    assert made.labels["effective_from"] == "2026-03-02T09:00:00+01:00"
    assert '"publish_policy"' in made.labels["two_persons"]
    await until(lambda: "policy" not in PROBLEMS.current())
    past = {"service_name": "shop", "subject_type": "guard_policy", "subject_name": "p", "action": "promoted",
            "to_version": "2"}  # fmt: skip
    assert (await people.post("ada", "/changes", **past)).status_code == 409


async def test_every_step_stands_in_the_audit_log(people):
    """Who asked, who agreed and that it was carried out: the act, the request, and the hash of the record."""
    heard = []
    people.work.publisher.listeners.append(heard.extend)
    path = await people.asked("ada", "/erasures", subject="user", value="u-4711", reason="asked for it")
    await people.post("bob", f"{path}/approve", reason="seen")
    await until(lambda: people.work.approvals.requests.all()[0].done)
    said = [each for each in entries(people.work.settings, heard) if each["kind"] in ("approval", "erasure")]
    assert [(each["who"], each["did"], each.get("act", "")) for each in said] == [
        ("ada", "requested", "erasure"), ("bob", "approved", "erasure"), ("ada", "user", ""),
        ("ada", "user", ""), ("watchkeeper", "carried_out", "erasure"),
    ]  # fmt: skip
    assert {each["about"] for each in said if each["kind"] == "approval"} == {path.rpartition("/")[2]}
