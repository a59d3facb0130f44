"""Whom a named proxy has signed in, at the API and in the console, cell by cell; nobody else can say it."""

import re

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from streams.access.principals import create, tokens_file
from streams.audit.wiring import recorded
from streams.settings import load
from tests.support.audit import entries
from tests.support.console import ADDRESS, TOKEN, Browser, held
from tests.support.incidents.entries import page

pytestmark = pytest.mark.store

PROXY, ELSEWHERE = "10.0.3.7", "192.0.2.66"
USER, GROUPS = "X-Forwarded-User", "X-Forwarded-Groups"
KIM = [(USER, "kim"), (GROUPS, "staff,sre")]
OWN = [("Origin", ADDRESS)]


@pytest.fixture
def settings(tmp_path):
    """Settings that name a proxy, and lead nowhere."""
    return load(
        data_dir=tmp_path, api_token=SecretStr(TOKEN), sql_port=1, kafka="127.0.0.1:1", proxy_addresses=PROXY,
        proxy_user_header=USER, proxy_groups_header=GROUPS, proxy_roles="sre=responder,lead=admin,view=viewer",
        proxy_sign_out="/oauth2/sign_out",
    )  # fmt: skip


@pytest.fixture
def browser(settings):
    """A browser of the proxy."""
    found = Browser(held(settings, page()))
    found.moves_to(PROXY)
    return found


CELLS = {
    # the headers of the proxy: status, and what the answer says
    "a person with a role": (KIM, 200, ""),
    "spelled in small letters": ([(USER.lower(), "kim"), (GROUPS.lower(), "sre")], 200, ""),
    "the groups with spaces": ([(USER, "kim"), (GROUPS, " staff , sre ")], 200, ""),
    "a name of another alphabet": ([(USER, "Žofie 李".encode()), (GROUPS, "sre")], 200, ""),
    "no group with a role": ([(USER, "kim"), (GROUPS, "staff")], 403, "none of your groups"),
    "no groups": ([(USER, "kim")], 403, "none of your groups"),
    "groups of nobody": ([(GROUPS, "sre")], 403, "nobody who is in them"),
    "nobody": ([], 401, "a token is needed"),
    "an empty name": ([(USER, ""), (GROUPS, "sre")], 403, "names nobody"),
    "a space": ([(USER, " "), (GROUPS, "sre")], 403, "has a character"),
    "two names in one": ([(USER, "kim, ann"), (GROUPS, "sre")], 403, "or several"),
    "twice": ([(USER, "kim"), (USER, "ann"), (GROUPS, "sre")], 403, "is there twice"),
    "twice the same": ([(USER, "kim"), (USER, "kim"), (GROUPS, "sre")], 403, "is there twice"),
    "groups twice": ([*KIM, (GROUPS, "lead")], 403, "is there twice"),
    "with underscores": ([("X_Forwarded_User", "kim"), (GROUPS, "sre")], 403, "spelled otherwise"),
    "with underscores beside it": ([*KIM, ("X_Forwarded-User", "ann")], 403, "is there twice"),
    "groups with underscores beside it": ([*KIM, ("x_forwarded_groups", "lead")], 403, "is there twice"),
    "too long": ([(USER, "k" * 121), (GROUPS, "sre")], 403, "more than 120"),
    "groups too long": ([(USER, "kim"), (GROUPS, "sre," * 5_000)], 403, "more than 16384 bytes"),
    "a control character": ([(USER, b"kim\x01"), (GROUPS, "sre")], 403, "control characters"),
    "an escape in the groups": ([(USER, "kim"), (GROUPS, b"sre\x1b[2J")], 403, "control characters"),
    "another order of writing": ([(USER, "kim\u202e".encode()), (GROUPS, "sre")], 403, "control characters"),
    "no UTF-8": ([(USER, b"\xff"), (GROUPS, "sre")], 403, "no UTF-8"),
    "a name of another house": ([(USER, "oidc/kim"), (GROUPS, "sre")], 403, "has a character"),
    "a part of ours": ([(USER, "watchkeeper/gate"), (GROUPS, "sre")], 403, "has a character"),
}


@pytest.mark.parametrize(("headers", "status", "why"), CELLS.values(), ids=CELLS)
async def test_what_a_proxy_says_is_one_person_or_nobody(browser, headers, status, why):
    """Each cell, at the API and in the console, which sends on to its form where nobody is named."""
    answer = await browser.get("/incidents", headers=headers)
    assert (answer.status_code, why in answer.text) == (status, True), answer.text
    answer = await browser.get("/console/incidents", headers=headers)
    assert answer.status_code == (303 if status == 401 else status)


@pytest.mark.parametrize(
    "headers", [each[0] for each in CELLS.values() if each[0]], ids=[e for e in CELLS if CELLS[e][0]]
)
async def test_from_anybody_else_the_same_headers_sign_in_nobody(browser, headers):
    """Not from another address, not by saying to have come from the proxy; with a token the header is passed over."""
    browser.moves_to(ELSEWHERE)
    for more in ([], [("X-Forwarded-For", PROXY)]):
        statuses = [
            (await browser.get(path, headers=headers + more)).status_code for path in ("/incidents", "/console/")
        ]
        named = any(name.lower().replace("_", "-") == USER.lower() for name, _ in headers)
        assert statuses == ([403, 403] if named else [401, 303])
    bearer = ("Authorization", f"Bearer {TOKEN}")
    assert (await browser.get("/incidents", headers=[*headers, bearer])).status_code == 200


async def test_without_the_setting_no_header_counts(settings):
    """Off by default: a proxy's address alone lets nobody in, and its headers are nothing."""
    browser = Browser(held(settings.model_copy(update={"proxy_user_header": "", "proxy_groups_header": ""})))
    browser.moves_to(PROXY)
    assert (await browser.get("/incidents", headers=KIM)).status_code == 401
    assert (await browser.get("/console/", headers=KIM)).status_code == 303


async def test_roles_are_those_of_the_groups(browser):
    """A viewer looks and does not act; the name is `proxy/NAME`, and nobody can have a token that is named so."""
    view = [(USER, "vi"), (GROUPS, "view"), *OWN]
    assert (await browser.get("/incidents", headers=view)).status_code == 200
    refused = await browser.client.post("/incidents/inc-p/note", json={"reason": "a"}, headers=view)
    assert (refused.status_code, "do not allow this" in refused.text) == (403, True)
    shown = await browser.get("/console/incidents/inc-p", headers=view)
    assert "proxy/vi" in shown.text
    with pytest.raises(ValueError, match="is no name"):
        create(tokens_file(browser_settings(browser)), "proxy/vi", ("admin",), 60)


def browser_settings(browser):
    """Return the settings of the installation that a browser looks at."""
    return browser.application.state.beside[0]._work.settings


FROM = {
    # what else a request says that would change something: status
    "a page of ours": (OWN, 409),
    "the browser says that it is ours": ([("Sec-Fetch-Site", "same-origin")], 409),
    "a page of another site": ([("Origin", "https://evil.example")], 403),
    "the browser says that it is another's": ([("Sec-Fetch-Site", "cross-site")], 403),
    "nothing": ([], 403),
}


@pytest.mark.parametrize(("more", "status"), FROM.values(), ids=FROM)
async def test_no_page_of_another_site_acts_in_the_name_of_somebody(browser, more, status):
    """The browser brings the proxy's cookie along, whoever asks: so who asks has to be seen (409: it is not closed)."""
    answer = await browser.client.post("/incidents/inc-p/reopen", json={"reason": "a"}, headers=[*KIM, *more])
    assert answer.status_code == status, answer.text


async def test_forms_are_of_the_person_who_was_given_them(browser):
    """A form counts with its session and its person; another whom the proxy names then has to load the page again."""
    form, path = "/console/incidents/inc-p/acknowledge", "/console/incidents/inc-p/reopen"
    shown = await browser.get("/console/incidents/inc-p", headers=KIM)
    csrf = re.search(rf'action="{form}".*?name="csrf" value="([^"]+)"', shown.text, re.DOTALL).group(1)
    sent = {"headers": [*KIM, *OWN, ("Content-Type", "application/x-www-form-urlencoded")]}
    assert (await browser.client.post(path, content="csrf=guessed", **sent)).status_code == 403
    assert (await browser.client.post(path, content=f"csrf={csrf}", **sent)).status_code == 409  # as it is open
    ann = {"headers": [(USER, "ann"), (GROUPS, "sre"), *sent["headers"][2:]]}
    assert "not of your session" in (await browser.client.post(path, content=f"csrf={csrf}", **ann)).text
    crossed = await browser.get("/console/", headers=[*KIM, ("Sec-Fetch-Site", "cross-site"),
                                ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")])  # fmt: skip
    assert (crossed.status_code, "set-cookie" in crossed.headers) == (200, False)


async def test_the_session_of_who_came_by_a_proxy_is_nothing_without_it(browser):
    """Its cookie opens nothing, neither elsewhere nor at the proxy without the header; signing out leads there."""
    shown = await browser.get("/console/kpis", headers=KIM)
    assert shown.status_code == 200
    assert browser.client.cookies["watchkeeper"]
    for address in (ELSEWHERE, PROXY):
        browser.moves_to(address)
        assert (await browser.get("/console/kpis")).status_code == 303
    shown = await browser.get("/console/kpis", headers=KIM)
    csrf = re.search(r'name="csrf" value="([^"]+)"', shown.text).group(1)
    headers = [*KIM, *OWN, ("Content-Type", "application/x-www-form-urlencoded")]
    out = await browser.client.post("/console/sign-out", content=f"csrf={csrf}", headers=headers)
    assert (out.status_code, "/oauth2/sign_out" in out.text) == (200, True)


async def test_who_it_was_and_who_it_would_have_been_are_written_down(browser, settings):
    """The person by name, from the address that the proxy says; a spoof as refused, with why and the claimed name."""
    work = held(settings)
    _, recorder = recorded(browser.application, settings, work.publisher, work.policy)
    await recorder.start()

    def failed():
        return REGISTRY.get_sample_value("watchkeeper_failed_sign_ins_total", {"door": "api"}) or 0

    before = failed()
    await browser.get("/incidents", headers=[*KIM, ("X-Forwarded-For", "203.0.113.5, 198.51.100.9")])
    await browser.get("/incidents", headers=[(USER, "eve"), (GROUPS, "staff")])
    await browser.get("/incidents", headers=[*KIM, (USER, "ann")])
    browser.moves_to(ELSEWHERE)
    await browser.get("/incidents", headers=[*KIM, ("X-Forwarded-For", PROXY)])
    await browser.get("/console/", headers=[(USER, b"kim\x1b[2J")])
    await recorder.stop()
    found = [
        tuple(each.get(name) for name in ("kind", "who", "status", "why", "claimed", "address"))
        for each in entries(recorder.log)[2:]
    ]
    assert found == [
        ("access", "proxy/kim", 200, None, None, "198.51.100.9"),
        ("refused", None, 403, "role", "proxy/eve", PROXY),
        ("refused", None, 403, "proxy", None, PROXY),
        ("refused", None, 403, "spoof", "kim", ELSEWHERE),
        ("refused", None, 403, "spoof", "kim?[2J", ELSEWHERE),
    ]
    assert failed() == before + 2
