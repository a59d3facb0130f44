"""Whoever is of a team sees and acts on its own services, cell by cell: no route tells that there are others."""

import asyncio
import re
from pathlib import Path

import pytest

import streams
from schemas.changes import Change
from schemas.controls import Control
from schemas.reviews import ReviewLabel
from schemas.topics import CHANGES, CONTROLS, REVIEWS, TRIAGE
from schemas.triage import Triage
from schemas.wire import encode
from streams.access.roles import ABOUT, ABOUT_WORDS, ALLOWED
from streams.access.teams import limited
from streams.api import incidents as incidents_api
from streams.api.seen import revision
from streams.console import asking
from tests.faults.log import decoded
from tests.support.incidents.entries import act
from tests.support.teams import MINE, OTHERS, installation
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.store

NOBODYS = "nobody-"
CONTROL = {"control": "pause", "reason": "because"}
CHANGE = {"subject_type": "model", "subject_name": "m", "action": "proposed"}
FORM = {"reason": "because", "decision": "known"}
POLICY_FORM = {"since": "2026-02-01T00:00", "until": "2026-02-02T00:00", "policy": "budget: {pages_per_day: 2}"}

GIVEN = {
    "GET /incidents/{incident_id}": ("/incidents/inc-{}p", None),
    "GET /incidents/{incident_id}/view": ("/incidents/inc-{}p/view", None),
    "GET /incidents/{incident_id}/page": ("/incidents/inc-{}p/page", None),
    "POST /incidents/{incident_id}/{action}": ("/incidents/inc-{}p/note", {"reason": "because"}),
    "POST /changes": ("/changes", CHANGE | {"service_name": "{}a"}),
    "POST /controls": ("/controls", CONTROL | {"service_name": "{}a"}),
    "POST /triage": ("/triage", {"decision": "known", "tickets": [{"finding_id": "{}ticket", "service_name": "{}a"}]}),
    "POST /approvals/{request_id}/{decision}": ("/approvals/{}/refuse", {"reason": "because"}),
    "POST /review/labels": ("/review/labels", {"target_event_id": "{}event", "label": "safe"}),
    "GET /console/incidents/{incident_id}": ("/console/incidents/inc-{}p", None),
    "POST /console/incidents/{incident_id}/control": (
        "/console/incidents/inc-{}p/control", CONTROL | {"service": "{}a", "confirm": "{}a"},
    ),
    "POST /console/incidents/{incident_id}/{kind}": ("/console/incidents/inc-{}p/note", {"reason": "because"}),
    "POST /console/review": ("/console/review", {"event": "{}event", "label": "safe"}),
    "POST /console/findings": ("/console/findings", FORM | {"ticket.{}ticket": "{}a"}),
    "POST /console/backtest/{number}/cancel": ("/console/backtest/{}/cancel", {}),
    "GET /console/services/{name:path}": ("/console/services/{}a", None),
    "GET /console/versions/{name:path}": ("/console/versions/{}a", None),
    "POST /console/approvals/{request_id}/{decision}": ("/console/approvals/{}/refuse", {"reason": "because"}),
}  # fmt: skip
"""A request to each route that is about its own or about what is said, with a place for whose it is."""
LISTED = {
    "GET /review/next": "/review/next?most=9",
    "GET /review/whatif": "/review/whatif?guard=g&category=sec.data_leakage.pii",
    "GET /console/incidents": "/console/incidents?state=",
}
SHOWS_NO_NAME = {
    "GET /review/stats", "GET /review/whatif", "GET /console/review/disagreements", "GET /console/live",
    "GET /console/backtest", "POST /console/backtest", "GET /console/telemetry",
}  # fmt: skip
"""Lists that hold nothing of anybody here, or are looked at by a test of their own."""


@pytest.fixture
async def people(client, store_settings, kafka_settings, tmp_path, monkeypatch):
    """People of an installation of two teams, by name, and the worker."""
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(incidents_api, "FOLDED_SECONDS", 0.1)
    async with installation(client, store_settings, kafka_settings, tmp_path) as (work, found):
        yield found | {"work": work}


SOMETIMES = re.compile(
    r'value="[\w-]{20,}"|\d\d:\d\d:\d\d|<time[^>]*>|\b\d+ (?:s|min|h|d)\b(?: \d+ (?:s|min|h))?'
    r"|; it is being asked again"
)
"""Keys of forms, times and ages, which are others a second later."""


def filled(given, whose):
    """Return a request, or what is in it, with a name in each of its places."""
    if isinstance(given, str):
        return given.replace("{}", whose)
    if isinstance(given, dict):
        return {filled(name, whose): filled(value, whose) for name, value in given.items()}
    return [filled(each, whose) for each in given] if isinstance(given, list) else given


def plain(answer, whose):
    """Return what an answer says, whosever it is about: without names, keys of forms and times."""
    text = SOMETIMES.sub("", answer.text)
    names = whose if len(whose) > 1 else "(no name)"
    return answer.status_code, answer.headers.get("location", "").replace(names, ""), text.replace(names, "")


def test_every_route_is_tried_here():
    """A new route has to say which services it is about, and a request to it has to be named here."""
    assert ABOUT.keys() == ALLOWED.keys()
    wanted = {route for route, about in ABOUT.items() if about in ("its own", "said")}
    assert wanted == GIVEN.keys()
    assert set(ABOUT.values()) == set(ABOUT_WORDS)


async def test_what_is_about_all_is_refused(people):
    """Whatever is sent: the answer does not look at it. Erasures and policies are an admin's before that."""
    for route in (route for route, about in ABOUT.items() if about == "all"):
        method, path = route.split()
        kim, bob = [await people[name].ask(method, path, {} if method == "POST" else None) for name in ("kim", "bob")]
        assert kim.status_code == 403, route
        assert ("all services" in kim.text) == (ALLOWED[route] != ()), route
        assert bob.status_code != 403, route


async def test_of_others_is_as_what_is_not_there(people):
    """Status, words and place to go on to are the same for what others have and what nobody has; not for one's own."""
    waiting = await requests(people)
    await people["bob"].ask("POST", "/console/backtest", POLICY_FORM)
    for route, (path, body) in GIVEN.items():
        method, names = route.split()[0], {MINE: MINE, OTHERS: OTHERS, NOBODYS: NOBODYS}
        if "approvals" in path:
            names = waiting
        if "backtest" in path:
            names = {OTHERS: "1", NOBODYS: "7"}

        async def ask(who, whose, method=method, path=path, body=body, names=names):
            answer = await people[who].ask(method, filled(path, names[whose]), filled(body, names[whose]))
            return answer, plain(answer, names[whose])

        others, nobodys = [await ask("kim", whose) for whose in (OTHERS, NOBODYS)]
        assert others[1] == nobodys[1], route
        assert others[0].status_code != 500, route
        if MINE in names:
            mine, all_seen = await ask("kim", MINE), await ask("bob", OTHERS)
            assert mine[0].status_code < 400, (route, mine[0].text)
            assert mine[1] != nobodys[1], route
            assert all_seen[1] != nobodys[1], route
            assert OTHERS not in mine[0].text, route
    for topic, kind in {CONTROLS: Control, CHANGES: Change, TRIAGE: Triage, REVIEWS: ReviewLabel}.items():
        said = await asyncio.to_thread(decoded, people["work"].settings, topic, kind)
        assert any(each.service_name.startswith(MINE) for each in said), topic
        assert not [each for each in said if OTHERS in each.service_name and "kim" in encode(each).decode()], topic


async def requests(people):
    """Have another's request and one's own wait for a second person, and return their names by whose they are."""
    for whose in (MINE, OTHERS):
        body = {
            "decision": "mute",
            "metric": "leak",
            "for": "1h",
            "reason": f"{whose}reason",
            "service_name": f"{whose}a",
        }
        assert (await people["bob"].ask("POST", "/triage", body)).status_code == 202
    found = {
        each.request.service_name[:-1]: each.request.request_id for each in people["work"].approvals.requests.all()
    }
    return found | {NOBODYS: "0" * 32}


async def test_a_list_holds_ones_own_alone(people):
    """No name, text, number of another team stands in it; who sees all sees them in the very same list."""
    await requests(people)
    for route in (route for route, about in ABOUT.items() if about == "listed"):
        method, path = route.split()
        body = POLICY_FORM if route == "POST /console/backtest" else None
        kim, bob = [await people[name].ask(method, LISTED.get(route, path), body) for name in ("kim", "bob")]
        assert kim.status_code != 403, route
        assert kim.status_code != 500, route
        assert OTHERS not in kim.text, (route, kim.text)
        if route not in SHOWS_NO_NAME:
            assert MINE in kim.text, route
            assert OTHERS in bob.text, route


async def test_an_incident_of_several_teams_is_seen_by_each_as_its_own(people):
    """Others' names, findings and counts are left out; what people say counts for all; controls are for one's own."""
    kim, bob = people["kim"], people["bob"]
    for path in ("/incidents/{}", "/incidents/{}/view", "/incidents/{}/page", "/console/incidents/{}"):
        mine, all_seen = [await each.ask("GET", path.format("inc-mine-m")) for each in (kim, bob)]
        assert (mine.status_code, OTHERS in mine.text, MINE in mine.text) == (200, False, True), path
        assert "others-n" in all_seen.text, path
    shown = (await kim.ask("GET", "/incidents/inc-mine-m")).json()
    assert (shown["services"], shown["findings"], shown["tenants"]) == (["mine-m"], 0, [])
    assert "mine-reason" in str(shown["steps"])
    assert (await kim.ask("POST", "/incidents/inc-mine-m/note", {"reason": "seen"})).status_code == 202
    form = CONTROL | {"service": "others-n", "confirm": "others-n"}
    refused = [await kim.ask("POST", "/console/incidents/inc-mine-m/control", form | {"service": name, "confirm": name})
               for name in ("others-n", "nobody-n")]  # fmt: skip
    assert plain(refused[0], OTHERS) == plain(refused[1], NOBODYS)
    assert (await kim.ask("POST", "/controls", CONTROL | {"service_name": "others-n"})).status_code == 422
    named = CONTROL | {"service_name": "mine-m", "incident_id": "inc-others-p"}
    assert (await kim.ask("POST", "/controls", named)).status_code == 404
    said = CHANGE | {
        "service_name": "mine-m",
        "incident_id": "inc-others-p",
        "action": "rolled_back",
        "to_version": "v",
    }
    assert (await kim.ask("POST", "/changes", said)).status_code == 404
    into = {"into_incident_id": "inc-others-p"}
    assert (await kim.ask("POST", "/incidents/inc-mine-p/merge", into)).status_code == 404
    assert (await kim.ask("POST", "/controls", CONTROL | {"service_name": "mine-m"})).status_code == 202


async def test_pages_are_not_renewed_for_what_others_do(people):
    """What an open page is told of changes with one's own incidents, and not with those of others."""
    work = people["work"]
    folding, numbers = work.held.folding, []
    for entry in (
        None,
        act("note", 50, "inc-others-p"),
        act("note", 60, "inc-mine-p"),
        act("close", 70, "inc-others-p"),
    ):
        folding.add([] if entry is None else [entry])
        work.revision += 1
        with limited(("mine-*",)):
            numbers.append(revision(work))
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]
    assert revision(work) == str(work.revision)


def test_no_page_asks_the_fold_itself():
    """Incidents that are shown or acted on come from `streams/api/seen.py`, which looks at whose they are."""
    root = Path(streams.__file__).parent
    files = [*(root / "api").glob("*.py"), *(root / "console").rglob("*.py")]
    asking_it = {each.name for each in files if re.search(r"folding\.(fold\.incidents|incidents\()", each.read_text())}
    assert asking_it == {"seen.py", "incidents.py"}
    assert (root / "api" / "incidents.py").read_text().count("folding.fold.incidents") == 1  # `_action`, behind `known`
