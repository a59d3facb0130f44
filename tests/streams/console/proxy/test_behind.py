"""A real worker behind a real proxy: people act under their own names, and nobody comes in past it."""

import re

import pytest
import requests

from schemas.incidents import IncidentAction
from schemas.topics import ACTIONS
from streams.audit.log import of
from streams.kafka.topics import create_topics
from streams.local.ports import free_port
from streams.settings import load
from tests.faults.log import decoded
from tests.support.addresses import From
from tests.support.audit import entries
from tests.support.incidents.entries import page
from tests.support.incidents.process import Worker, send
from tests.support.proxy import proxy
from tests.support.waiting import wait_until

pytestmark = pytest.mark.faults

PEOPLE = {"kim": ["sre", "staff"], "eve": ["staff"]}
BROWSER, PAST = "127.0.0.2", "127.0.0.3"
"""Addresses of this machine, of which none is the proxy's."""
ACT = "/console/incidents/inc-p/acknowledge"


@pytest.fixture(scope="module")
def worker(broker, tmp_path_factory):
    """A running worker with one open incident, which names the proxy of this machine."""
    settings = load(kafka=broker, topic_prefix="behind.", data_dir=tmp_path_factory.mktemp("behind"))
    create_topics(settings)
    running = Worker(settings)
    running.environment |= {
        "WATCHKEEPER_PROXY_ADDRESSES": "127.0.0.1", "WATCHKEEPER_PROXY_USER_HEADER": "X-Forwarded-User",
        "WATCHKEEPER_PROXY_GROUPS_HEADER": "X-Forwarded-Groups", "WATCHKEEPER_PROXY_ROLES": "sre=responder",
    }  # fmt: skip
    running.start()
    send(running.settings, page())
    wait_until(lambda: running.ask("GET", "").json()["incidents"])
    yield running
    running.kill()


@pytest.fixture(scope="module")
def front(worker):
    """The address of a proxy in front of it."""
    with proxy(free_port(), f"http://127.0.0.1:{worker.api}", PEOPLE) as address:
        yield address


def person(name=""):
    """Return a browser of somebody whom the proxy knows, or does not."""
    session = requests.Session()
    session.mount("http://", From(BROWSER))
    if name:
        session.cookies.set("signed-in", name)
    return session


def test_a_person_acts_under_the_name_that_the_proxy_knows(worker, front):
    """The page, the form and the API: what was done is `proxy/kim`'s, and the audit has the address of the browser."""
    kim = person("kim")
    shown = kim.get(f"{front}/console/incidents/inc-p", headers={"X-Forwarded-For": "203.0.113.1"}, timeout=60)
    assert (shown.status_code, "proxy/kim" in shown.text) == (200, True)
    csrf = re.search(rf'action="{ACT}".*?name="csrf" value="([^"]+)"', shown.text, re.DOTALL).group(1)
    done = kim.post(front + ACT, {"csrf": csrf}, headers={"Origin": front}, allow_redirects=False, timeout=60)
    assert done.status_code == 303
    note = {"reason": "seen"}
    said = kim.post(f"{front}/incidents/inc-p/note", json=note, headers={"Origin": front}, timeout=60)
    assert said.status_code == 200
    actions = [
        (each.action, each.actor_id, each.actor_kind) for each in decoded(worker.settings, ACTIONS, IncidentAction)
    ]
    assert actions == [("acknowledge", "proxy/kim", "human"), ("note", "proxy/kim", "human")]

    def written():
        return [each for each in entries(of(worker.settings)) if each.get("who") == "proxy/kim" and "address" in each]

    wait_until(lambda: len(written()) == 3)
    assert {each["address"] for each in written()} == {BROWSER}


def test_who_says_it_to_the_proxy_is_not_believed(front):
    """Headers of clients do not pass the proxy; whoever has no role, or is nobody, is told so."""
    claim = {"X-Forwarded-User": "kim", "X-Forwarded-Groups": "sre", "X_Forwarded_User": "kim"}
    assert person().get(f"{front}/incidents", headers=claim, timeout=60).status_code == 401
    answer = person("eve").get(f"{front}/incidents", headers=claim, timeout=60)
    assert (answer.status_code, "none of your groups" in answer.text) == (403, True)


def test_who_comes_past_the_proxy_is_refused(worker):
    """From an address that is not named the same headers are a spoof, whatever hops they claim."""
    claim = {"X-Forwarded-User": "kim", "X-Forwarded-Groups": "sre", "X-Forwarded-For": "127.0.0.1"}
    with requests.Session() as session:
        session.mount("http://", From(PAST))
        refused = session.get(f"http://127.0.0.1:{worker.api}/incidents", headers=claim, timeout=60)
    assert (refused.status_code, "only a named proxy" in refused.text) == (403, True)

    def written():
        return [
            (each["claimed"], each["address"]) for each in entries(of(worker.settings)) if each.get("why") == "spoof"
        ]

    wait_until(written)
    assert written() == [("kim", PAST)]
