"""What people ask and do is in the log, and the log is proven by what Kafka holds of it."""

import asyncio
import getpass
import hashlib
import re
import shutil
from functools import partial

import pytest
from typer.testing import CliRunner

from schemas.topics import ACTIONS
from streams.access.principals import create, tokens_file
from streams.audit import heads as heads_module
from streams.audit.heads import HEAD_ENTRIES, Heads, read_heads
from streams.audit.log import of
from streams.audit.reading import program
from streams.audit.wiring import recorded
from streams.commands.main import app
from streams.kafka.log_reader import LogReader
from streams.kafka.topics import check_topics, client_arguments
from tests.streams.console.test_acting import work  # noqa: F401  a worker that takes in what is said
from tests.support.audit import bare, entries, kinds
from tests.support.console import Browser
from tests.support.waiting import wait_until

pytestmark = pytest.mark.store

DAY = 86_400
ROLES = {"kim": "responder", "eve": "viewer"}


@pytest.fixture
async def desk(work):  # noqa: F811
    """A browser whose requests are recorded, what records them, and the heads."""
    browser = Browser(work)
    heads, recorder = recorded(browser.application, work.settings, work.publisher, work.policy)
    await recorder.start()
    yield browser, recorder, heads
    await recorder.stop()


def environment(settings):
    """Return what leads a command to an installation."""
    return {
        "WATCHKEEPER_KAFKA": settings.kafka, "WATCHKEEPER_TOPIC_PREFIX": settings.topic_prefix,
        "WATCHKEEPER_DATA_DIR": str(settings.data_dir),
        "WATCHKEEPER_CONTROL_KEY": settings.control_key.get_secret_value(),
    }  # fmt: skip


def command(settings, monkeypatch, *arguments):
    """Run `watchkeeper audit` on an installation."""
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    return CliRunner().invoke(app, ["audit", *arguments])


def told(found):
    """Return kind, who, and route or deed of entries, and the answer."""
    return [(each["kind"], each.get("who"), each.get("route", each.get("did")), each.get("status")) for each in found]


async def test_requests_and_what_they_did_are_written_down(desk, work):  # noqa: F811
    """Sign-ins, refusals and actions: who, on which route, with which answer; the action by the hash of its record."""
    browser, recorder, _ = desk
    tokens = {who: create(tokens_file(work.settings), who, (role,), DAY) for who, role in ROLES.items()}
    page = await browser.get("/console/sign-in")
    await browser.send(page, "/console/sign-in", name="mallory", token="s3cret-guess")  # noqa: S106
    await browser.send(page, "/console/sign-in", name=tokens["kim"], token="")
    await browser.send(page, "/console/sign-in", name="", token=tokens["kim"])
    await browser.get("/console/changes?service=s3cret-query")
    await browser.get("/s3cret-path")
    await browser.client.get("/incidents", headers={"Host": "evil.example"})
    for token in ("s3cret-token", tokens["eve"], tokens["kim"]):
        headers = {"Authorization": f"Bearer {token}"}
        await browser.client.post("/incidents/inc-p/note", json={"reason": "s3cret-text"}, headers=headers)
    await recorder.stop()
    found, note = entries(recorder.log), "POST /incidents/{incident_id}/{action}"
    assert told(found) == [
        ("begun", None, None, None),
        ("policy", None, None, None),
        ("access", None, "GET /console/sign-in", 200),
        ("sign_in_failed", None, "POST /console/sign-in", 403),
        ("sign_in_failed", None, "POST /console/sign-in", 403),
        ("sign_in", "kim", "POST /console/sign-in", 303),
        ("access", "kim", "GET /console/changes", 200),
        ("access", None, "GET (no route)", 404),
        ("refused", None, "GET (no route)", 421),
        ("refused", None, note, 401),
        ("refused", "eve", note, 403),
        ("action", "kim", "note", None),
        ("access", "kim", note, 200),
    ]
    assert found[3]["claimed"] == "mallory"
    assert (found[-1]["about"], found[-1]["token"]) == (["action=note", "incident_id=inc-p"], tokens["kim"][3:15])
    [record] = await asyncio.to_thread(values, work.settings, ACTIONS)
    assert (found[-2]["about"], found[-2]["record"]) == ("inc-p", hashlib.sha256(record).hexdigest())
    files = b"".join(file.read_bytes() for file, _ in recorder.log.parts())
    assert b"s3cret" not in files
    assert not any(token.encode() in files for token in tokens.values())


async def test_the_log_is_proven_by_its_heads_and_a_cut_is_found(desk, work, monkeypatch):  # noqa: F811
    """After a stop all entries are under a signed head in Kafka; `audit verify` says so, and finds what is cut off."""
    browser, recorder, heads = desk
    await heads.start()
    await browser.get("/console/sign-in")
    await recorder.stop()
    await heads.stop()
    run = partial(asyncio.to_thread, command, work.settings, monkeypatch)
    done = await run("verify")
    assert (done.exit_code, done.stdout) == (0, "3 entries are whole and in order; heads prove them up to entry 3\n")
    exported = await run("export")
    assert exported.exit_code == 0
    assert kinds(recorder.log) == ["begun", "policy", "access", "export"]
    alone, export, key = (work.settings.data_dir / name for name in ("verify_audit.py", "export", "key"))
    alone.write_text((await run("verifier")).stdout)
    export.write_text(exported.stdout)
    key.write_text((await run("key")).stdout)
    assert bare(alone, export, "--key-file", key) == (
        0, "4 entries are whole and in order; heads prove them up to entry 3\n"
    )  # fmt: skip
    [(file, _)] = recorder.log.parts()
    file.write_bytes(file.read_bytes().split(b"\n")[0] + b"\n")
    done = await run("verify")
    assert (done.exit_code, done.stdout.splitlines()[0][:67]) == (
        1, "000000000001.jsonl, line 1, entry 2: the log was cut: it ends with e"[:67]
    )  # fmt: skip
    shutil.rmtree(recorder.log.parts()[0][0].parent)
    assert "the log was cut" in (await run("verify")).stdout


def values(settings, topic):
    """Return the records of a topic as they travelled."""
    states = check_topics(settings, [topic]).values()

    async def read():
        return [record.value async for record in LogReader(client_arguments(settings)).whole(states)]

    return asyncio.run(read())


async def test_commands_are_written_down(work, monkeypatch):  # noqa: F811
    """A token made and revoked, and a control that is asked for at a terminal, with who sat there."""
    for name, value in environment(work.settings).items():
        monkeypatch.setenv(name, value)

    def say():
        run = CliRunner().invoke
        assert run(app, ["token", "create", "ann", "--role", "viewer"]).exit_code == 0
        assert run(app, ["token", "revoke", "ann"]).exit_code == 0
        assert run(app, ["control", "pause", "a", "--reason", "b", "--actor", "ann"]).exit_code == 0

    await asyncio.to_thread(say)
    found = entries(of(work.settings))
    assert [each["kind"] for each in found] == ["begun", "token_created", "token_revoked", "control"]
    here = getpass.getuser()
    assert [(each["who"], each["terminal"]) for each in found[1:]] == [(here, here), (here, here), ("ann", here)]
    assert found[2]["name"] == "ann"


async def test_a_log_that_grows_fast_has_heads_soon(desk, work, monkeypatch):  # noqa: F811
    """A head comes with the first entries, and one with many more, however long another is not due."""
    monkeypatch.setattr(heads_module, "LOOK_SECONDS", 0.05)
    _, recorder, _ = desk
    heads = Heads(work.settings, recorder.log, work.publisher, every=86_400)
    await heads.start()
    await asyncio.to_thread(wait_until, recorder.log.heads)
    for _ in range(HEAD_ENTRIES):
        recorder.record("access", who="kim")
    await recorder.stop()
    await asyncio.to_thread(wait_until, lambda: recorder.log.heads()[-1].sequence >= HEAD_ENTRIES)
    await heads.stop()
    published = await asyncio.to_thread(read_heads, work.settings)
    assert published == recorder.log.heads()
    assert published[-1].sequence == recorder.log.end()[0] == HEAD_ENTRIES + 2


async def test_an_auditor_reads_the_log_by_http(desk, work):  # noqa: F811
    """Entries and heads are what the verifier takes; the page shows the end of the log to auditors and nobody else."""
    browser, recorder, heads = desk
    tokens = {role: create(tokens_file(work.settings), role, (role,), DAY) for role in ("auditor", "viewer")}
    await heads.start()
    pages = {}
    for role, token in tokens.items():
        await browser.sign_in("", token)
        await asyncio.to_thread(wait_until, lambda: not recorder._waiting)
        pages[role] = (await browser.get("/console/changes")).text
    assert ["Audit log" in page for page in pages.values()] == [True, False]
    assert re.search(r"<b>auditor</b></td><td>sign in</td><td>POST /console/sign-in", pages["auditor"])
    await recorder.stop()
    await heads.stop()
    headers = {"Authorization": f"Bearer {tokens['auditor']}"}
    whole = await browser.client.get("/audit", headers=headers)
    part = await browser.client.get("/audit?after=2&most=3", headers=headers)
    assert whole.text.splitlines()[2:5] == part.text.splitlines()
    kept = work.settings.data_dir / "kept.jsonl"
    kept.write_text((await browser.client.get("/audit/heads", headers=headers)).text + whole.text)
    alone = kept.with_name("verify_audit.py")
    alone.write_text(program())
    status, text = bare(alone, kept)
    assert (status, text[:40]) == (0, f"{len(entries(recorder.log))} entries are whole and in order; heads "[:40])
