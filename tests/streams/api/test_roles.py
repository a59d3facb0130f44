"""Who may ask for what, cell by cell; and that actions are whose token it is, whatever they say."""

import asyncio
import re
from pathlib import Path

import pytest
from fastapi import APIRouter
from pydantic import SecretStr
from starlette.routing import Mount

import streams
from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.topics import CHANGES, CONTROLS, ERASURES, TRIAGE
from schemas.triage import Triage
from schemas.wire import encode
from streams.access.entry import check_routes, routes
from streams.access.principals import create, revoke, tokens_file
from streams.access.roles import ALLOWED, OPEN, ROLES, may, page
from streams.console.app import HOME
from streams.settings import load
from tests.faults.log import decoded
from tests.streams.console.test_acting import work  # noqa: F401  a worker that takes in what is said
from tests.support.console import TOKEN, Browser, application, held
from tests.support.incidents import entries

pytestmark = pytest.mark.store

DAY = 86_400
NOT_YOURS = "do not allow this"


@pytest.fixture
def settings(tmp_path):
    """Settings that lead nowhere: what is refused needs neither Kafka nor a store."""
    return load(data_dir=tmp_path, api_token=SecretStr(TOKEN), sql_port=1, kafka="127.0.0.1:1")


def all_routes(app):
    """Return the routes of the API and of the console."""
    [console] = [each.app for each in app.routes if isinstance(each, Mount)]
    return {*routes(app), *routes(console, HOME.rstrip("/"))}


def test_every_route_has_its_cells_and_every_cell_its_route(settings):
    """The table names all routes and no other, stands in the documentation, and an application with more is refused."""
    app = application(held(settings))
    assert all_routes(app) == {*ALLOWED, *OPEN}
    assert (Path(streams.__file__).parents[1] / "docs" / "roles.md").read_text() == page()
    more = APIRouter()
    more.add_api_route("/more", lambda: None, methods=["POST"])
    app.include_router(more)
    with pytest.raises(AssertionError, match="POST /more"):
        check_routes(app)


@pytest.mark.parametrize("role", ROLES)
async def test_each_cell_lets_in_or_not(settings, role):
    """With a token of one role each route refuses by naming the roles that it takes, or goes on to what is asked."""
    token = create(tokens_file(settings), "kim", (role,), DAY)
    browser = Browser(held(settings, entries.page()))
    await browser.sign_in("", token)
    shown = await browser.get("/console/sign-in")
    csrf = re.search(r'name="csrf" value="([^"]+)"', shown.text).group(1)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for route in ALLOWED:
        method, path = route.split()
        path = re.sub(r"\{incident_id\}", "inc-p", path).replace("{name:path}", "a")
        path = re.sub(r"\{(action|kind)\}", "dance", path)
        inside = path.startswith(HOME)
        if path.endswith("/sign-out"):
            continue
        headers = {"Last-Event-ID": "old"} | ({} if inside else {"Authorization": f"Bearer {token}"})
        more = {"content": f"csrf={csrf}", "headers": headers | form} if inside else {"headers": headers, "json": {}}
        answer = await browser.client.request(method, path, **(more if method == "POST" else {"headers": headers}))
        if inside and role == "service":
            assert answer.status_code == (303 if method == "GET" else 401), route
        else:
            assert answer.status_code != 500, route
            assert (answer.status_code == 403, NOT_YOURS in answer.text) == (not may((role,), route),) * 2, route


async def test_without_a_token_every_route_is_closed(settings):
    """Whoever is nobody, expired or revoked is refused everywhere, in a session of the console too."""
    file = tokens_file(settings)
    kim = create(file, "kim", ("admin",), DAY)
    browser = Browser(held(settings, entries.page()))
    await browser.sign_in("", kim)
    assert (await browser.get("/console/incidents")).status_code == 200
    revoke(file, "kim")
    for token in ("", kim, create(file, "ann", ("admin",), -1)):
        # a link to the page of an incident leads a browser to the form
        for route in (each for each in ALLOWED if not each.split()[1].startswith(HOME)):
            method, path = route.split()
            answer = await browser.client.request(method, path, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == (303 if path.endswith("/page") else 401), route
    assert (await browser.get("/console/incidents")).status_code == 303


async def test_the_actor_is_whose_token_it_is(work):  # noqa: F811
    """Whatever the body says; only the token of the installation brings others' words, and then somebody's."""
    file = tokens_file(work.settings)
    tokens = {"kim": create(file, "kim", ("responder",), DAY), "bot": create(file, "bot", ("service",), DAY), "": TOKEN}
    tokens["ada"] = create(file, "ada", ("admin",), DAY)
    browser = Browser(work)

    async def post(who, path, **body):
        return await browser.client.post(path, json=body, headers={"Authorization": f"Bearer {tokens[who]}"})

    assert (await post("kim", "/incidents/inc-p/note", actor="ann", reason="a")).json()["steps"][-1]["by"] == "kim"
    assert (await post("kim", "/incidents/inc-p/acknowledge")).json()["steps"][-1]["by"] == "kim"
    assert (await post("", "/incidents/inc-p/note", actor="ann", reason="b")).json()["steps"][-1]["by"] == "ann"
    nobody = await post("", "/incidents/inc-p/note", reason="c")
    assert (nobody.status_code, "say who does it" in nobody.json()["detail"]) == (422, True)
    assert (await post("", "/incidents/inc-p/note", actor="a", actor_kind="system")).status_code == 422
    asked = {"service_name": "a", "control": "pause", "reason": "b"}
    assert (await post("kim", "/controls", **asked, actor_id="ann")).status_code == 202
    [control] = await asyncio.to_thread(decoded, work.settings, CONTROLS, Control)
    assert control.actor_id == "kim"
    began = {"service_name": "a", "subject_type": "model", "subject_name": "m", "action": "proposed"}
    assert (await post("bot", "/changes", **began, initiator_id="kim")).status_code == 202
    [change] = await asyncio.to_thread(decoded, work.settings, CHANGES, Change)
    assert (change.initiator_id, change.source) == ("bot", "watchkeeper/http")
    forged = await post("bot", "/changes", **began, source="watchkeeper/gate")
    assert (forged.status_code, "is a part of Watchkeeper" in forged.json()["detail"]) == (422, True)
    ticket = {"decision": "known", "tickets": [{"finding_id": "t", "service_name": "a"}]}
    assert (await post("kim", "/triage", **ticket, actor="ann")).json() == {"said": 1}
    [said] = await asyncio.to_thread(decoded, work.settings, TRIAGE, Triage)
    assert (said.actor_id, said.finding_id) == ("kim", "t")
    asked = {"subject": "user", "value": "u-4711", "reason": "asked for it"}
    assert (await post("ada", "/erasures", **asked, actor="kim")).status_code == 202
    assert (await post("ada", "/erasures", **asked | {"reason": "u-4711 asked"})).status_code == 422
    erasures = await asyncio.to_thread(decoded, work.settings, ERASURES, Erasure)
    assert {(each.actor_id, b"u-4711" in encode(each)) for each in erasures} == {("ada", False)}
