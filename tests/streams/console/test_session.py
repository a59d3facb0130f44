"""Who may see the console, from where it may be asked, and what its answers say of themselves."""

import pytest

from tests.support.console import ADDRESS, TOKEN, Browser, application, held, signed_in
from tests.support.incidents.entries import page

pytestmark = pytest.mark.store


async def test_a_page_asks_who_is_there_and_leads_back(settings):
    """Nobody sees a page without the token; who gives it is led on to what was asked for, under the name given."""
    browser = Browser(held(settings))
    asked = await browser.get("/console/?q=a")
    assert (asked.status_code, asked.headers["location"]) == (303, "/console/sign-in?next=%2Fconsole%2F%3Fq%3Da")
    form = await browser.get(asked.headers["location"])
    wrong = await browser.send(form, "/console/sign-in", name="kim", token=TOKEN + "x")
    assert (wrong.status_code, "not the token" in wrong.text) == (403, True)
    nameless = await browser.send(form, "/console/sign-in", name=" ", token=TOKEN)
    assert (nameless.status_code, "Say who you are" in nameless.text) == (403, True)
    right = await browser.send(form, "/console/sign-in", name="<b>kim", token=TOKEN)
    assert (right.status_code, right.headers["location"]) == (303, "/console/?q=a")
    shown = await browser.get("/console/")
    assert (shown.status_code, "&lt;b&gt;kim" in shown.text, "<b>kim" in shown.text) == (200, True, False)
    out = await browser.send(shown, "/console/sign-out")
    assert (out.status_code, (await browser.get("/console/")).status_code) == (303, 303)


async def test_the_cookie_is_for_this_site_alone_and_signed(settings):
    """Scripts cannot read it, other sites do not send it, and one that was changed or of another token is nobody's."""
    browser = Browser(held(settings))
    answer = await browser.sign_in()
    cookie = answer.headers["set-cookie"].lower()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/console/"))
    value = browser.client.cookies["watchkeeper"]
    # not its last letters: of a signature these have bits that say nothing
    changed = ("f" if value[0] == "e" else "e") + value[1:]
    other = held(settings.model_copy(update={"api_token": type(settings.api_token)("another")}))
    for work, sent in ((held(settings), changed), (other, value)):
        guest = Browser(work)
        assert (await guest.get("/console/", headers={"Cookie": f"watchkeeper={sent}"})).status_code == 303
    behind = held(settings.model_copy(update={"public_url": "https://watch.example"}))
    assert "secure" in (await Browser(behind).get("/console/sign-in")).headers["set-cookie"].lower()


async def test_a_form_is_of_the_session_that_was_given_it(settings):
    """Without its secret, with another session's, or from a page of another site nothing is done."""
    browser, stranger = await signed_in(held(settings)), await signed_in(held(settings), "eve")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body in ("", "csrf=", "csrf=guessed"):
        refused = await browser.client.post("/console/sign-out", content=body, headers=form)
        assert (refused.status_code, "not of your session" in refused.text) == (403, True)
    foreign = await stranger.get("/console/")
    assert (await browser.send(foreign, "/console/sign-out")).status_code == 403
    elsewhere = await browser.client.post(
        "/console/sign-out", content="csrf=x", headers=form | {"Origin": "http://evil"}
    )
    assert elsewhere.status_code == 403
    assert (await browser.get("/console/")).status_code == 200


async def test_a_name_of_another_site_is_refused(settings):
    """A page that points its own name here is told so, whatever it asks for."""
    browser = await signed_in(held(settings))
    for path in ("/console/", "/console/sign-in", "/console/static/console.css"):
        assert (await browser.get(path, headers={"Host": "evil.example"})).status_code == 421


FOLLOWED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


async def test_a_link_in_a_notification_opens(settings):
    """From another site, first without the cookie, the same link is followed again from a page of our own."""
    browser = await signed_in(held(settings, page()))
    there = FOLLOWED | {"Referer": "https://chat.example/"}
    led = await browser.get("/incidents/inc-p/page", headers=there)
    assert (led.status_code, led.headers["location"]) == (303, "/console/incidents/inc-p")
    stranger = Browser(held(settings, page()))
    again = await stranger.get("/console/?q=%22%3E%3Cb%3E", headers=there)
    assert (again.status_code, 'content="0;url=/console/?q=%22%3E%3Cb%3E"' in again.text) == (200, True)
    inside = await browser.get("/console/", headers=there | {"Sec-Fetch-Dest": "iframe"})
    assert inside.status_code == 403


async def test_tools_are_answered_as_before(settings):
    """With the token the page is the file; without it everything but that page is 401, and JSON."""
    browser = Browser(held(settings, page()))
    file = await browser.get("/incidents/inc-p/page", headers={"Authorization": f"Bearer {TOKEN}"})
    assert (file.status_code, "<style>" in file.text) == (200, True)
    for path in ("/incidents", "/incidents/inc-p", "/incidents/inc-p/view", "/review/next?reviewer=kim"):
        answer = await browser.get(path)
        assert (answer.status_code, "a token is needed" in answer.json()["detail"]) == (401, True)
    assert (await browser.get("/")).headers["location"] == "/console/"


async def test_no_page_lets_anything_in(settings):
    """The policy of contents names no host and no inline code, and there is none; only files are kept."""
    browser = await signed_in(held(settings, page()))
    for path in ("/console/", "/console/sign-in", "/console/nothing-here", "/console/static/console.js"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "no-store" in answer.headers.get("cache-control", "") or "static" in path
        assert " style=" not in answer.text
        assert "<style" not in answer.text
        assert "onclick" not in answer.text
        assert ADDRESS not in answer.text


async def test_the_console_can_be_left_out(settings):
    """With the setting off there is no page, and a link to one is refused as any other request."""
    browser = Browser(held(settings.model_copy(update={"console": False}), page()))
    assert (await browser.get("/console/")).status_code == 404
    assert (await browser.get("/incidents/inc-p/page")).status_code == 401
    assert application(held(settings)).openapi()["paths"].keys() >= {"/incidents"}
