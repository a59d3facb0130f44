"""Sign-in at a real OpenID provider by plain HTTP: who comes in, as whom, with which roles, for how long."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from streams.access.oidc import people
from streams.access.oidc.people import people_file
from streams.settings import load
from tests.support.console import ADDRESS, TOKEN, Browser, held, signed_in
from tests.support.incidents.entries import page
from tests.support.oidc.going import RETURN, back, begun, led, onward, refused
from tests.support.secrets import put

pytestmark = pytest.mark.store


async def test_somebody_comes_in_as_the_provider_says(settings, provider):
    """With a name of the provider's, the roles of the groups and no others, and is led on to what was asked for."""
    browser = Browser(held(settings, page()))
    leaving = await begun(browser)
    asked = {name: value for name, [value] in parse_qs(urlsplit(onward(leaving)).query).items()}
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == ADDRESS + RETURN
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    cookie = next(each for each in leaving.headers.get_list("set-cookie") if each.startswith("watchkeeper-going="))
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/console/sign-in", "Max-Age=600"))
    arrived = await browser.get(provider.authorised(onward(leaving), "4711"))
    assert (arrived.status_code, onward(arrived)) == (200, "/console/incidents")
    assert "samesite=strict" in arrived.headers.get_list("set-cookie")[-1]
    assert "watchkeeper-going" not in browser.client.cookies
    shown = await browser.get("/console/incidents/inc-p")
    assert ("oidc/kim" in shown.text, "/console/incidents/inc-p/acknowledge" in shown.text) == (True, True)
    assert (await browser.get("/console/review")).status_code == 403
    assert people_file(settings).stat().st_mode & 0o777 == 0o600


async def test_cookies_travel_by_tls_alone_where_the_console_does(provider, tmp_path):
    """The one that goes to the provider too; another name of the console leads to the public one first."""
    settings = led(provider, tmp_path, public_url="https://watch.example")
    browser = Browser(held(settings))
    elsewhere = await browser.get("/console/sign-in?next=/console/kpis")
    assert 'href="https://watch.example/console/sign-in?next=/console/kpis"' in elsewhere.text
    sent = await begun(Browser(held(settings), "https://watch.example"))
    assert parse_qs(urlsplit(onward(sent)).query)["redirect_uri"] == ["https://watch.example" + RETURN]
    assert all("secure" in each.lower() for each in sent.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    "there", ["https://evil.example/", "//evil.example", "/console/\\evil", "/console/sign-in/return"]
)
async def test_nobody_is_led_elsewhere(settings, provider, there):
    """The page to go on to is one of the console, whatever the address of the form says."""
    arrived = await back(Browser(held(settings)), provider, following=there)
    assert onward(arrived) == "/console/"


async def test_the_groups_of_somebody_decide(settings, provider):
    """None with a role: refused with a page. Another group at the provider: other roles from the next sign-in on."""
    browser = Browser(held(settings, page()))
    provider.knows("4711", preferred_username="kim", groups=["staff"])
    assert refused(await back(browser, provider), "none of your groups has a role here")
    provider.knows("4711", preferred_username="kim")
    assert refused(await back(browser, provider), "none of your groups has a role here")
    assert (await browser.get("/console/")).status_code == 303
    provider.knows("4711", preferred_username="kim", groups="lead")
    assert (await back(browser, provider)).status_code == 200
    assert (await browser.get("/console/review/disagreements")).status_code != 403
    provider.knows("4711", preferred_username="kim", groups=["sre"])
    assert (await back(browser, provider)).status_code == 200
    assert (await browser.get("/console/review/disagreements")).status_code == 403


async def test_groups_may_be_told_only_when_asked_for(settings, provider):
    """Where the ID token has none, what the provider says of the same person counts, and of nobody else."""
    browser = Browser(held(settings))
    provider.lies(claims={"groups": None})
    assert (await back(browser, provider)).status_code == 200
    provider.lies(claims={"groups": None}, userinfo={"sub": "0815"})
    assert refused(await back(Browser(held(settings)), provider), "does not hold")


async def test_what_groups_may_is_what_the_settings_say_now(settings, provider):
    """A session goes on after a restart; it has the roles of its groups as they are then, or ends with the last."""
    browser = Browser(held(settings, page()))
    await back(browser, provider)
    sent = {"Cookie": f"watchkeeper={browser.client.cookies['watchkeeper']}"}

    async def after(**more):
        again = Browser(held(settings.model_copy(update=more), page()))
        return [(await again.get(f"/console/{path}", headers=sent)).status_code for path in ("incidents", "review")]

    assert await after() == [200, 403]
    assert (await after(oidc_roles="sre=viewer,sre=reviewer"))[0] == 200
    assert (await after(oidc_roles="sre=viewer,sre=reviewer"))[1] != 403
    assert await after(oidc_roles="lead=admin") == [303, 303]
    assert await after(oidc_issuer="https://other.example") == [303, 303]
    assert await after(oidc_issuer="") == [303, 303]


async def test_a_name_stays_with_whom_it_was_first_of(settings, provider):
    """Whoever is renamed is who they were; another who takes the name is refused; claims that are no name too."""
    kim, ann = Browser(held(settings)), Browser(held(settings))
    await back(kim, provider)
    provider.knows("0815", preferred_username="KIM", groups=["lead"])
    assert refused(await back(ann, provider, "0815"), "Another person has your name here")
    provider.knows("4711", preferred_username="system", groups=["sre"])
    await back(kim, provider)
    assert "oidc/kim" in (await kim.get("/console/incidents")).text
    for name in ("a/b", "\u202egnp.exe", "x" * 121, " kim"):
        provider.knows("0815", preferred_username=name, groups=["lead"])
        assert refused(await back(ann, provider, "0815"), "can&#39;t be one here"), name
    provider.knows("0815", preferred_username="system", groups=["lead"])
    assert (await back(ann, provider, "0815")).status_code == 200
    assert "oidc/system" in (await ann.get("/console/incidents")).text


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "kim@example.org", "email_verified": True}, "oidc/kim@example.org"),
        ({"email": "root@example.org", "email_verified": False}, "oidc/4711"),
        ({"preferred_username": ["kim"]}, "oidc/4711"),
    ],
)
async def test_a_name_is_of_the_first_claim_that_is_one(settings, provider, claims, name):
    """An address that nobody verified is none; who has no name at all is called by the subject."""
    provider.knows("4711", groups=["sre"], **claims)
    browser = Browser(held(settings))
    await back(browser, provider)
    assert name in (await browser.get("/console/incidents")).text


async def test_a_session_has_an_end(settings, provider, monkeypatch):
    """However often pages are loaded until then: after it they ask who is there."""
    browser = Browser(held(settings))
    await back(browser, provider)
    assert (await browser.get("/console/incidents")).status_code == 200
    later = time.time() + settings.oidc_session_seconds
    monkeypatch.setattr(people.time, "time", lambda: later - 1)
    assert (await browser.get("/console/incidents")).status_code == 200
    monkeypatch.setattr(people.time, "time", lambda: later + 1)
    assert (await browser.get("/console/incidents")).status_code == 303


async def test_a_file_of_people_that_is_broken_lets_nobody_in(settings, provider):
    """A page says so, tokens work, and nothing is written over it."""
    people_file(settings).write_text("{")
    browser = Browser(held(settings))
    assert refused(await back(browser, provider), "can&#39;t be kept now", code=503)
    assert people_file(settings).read_text() == "{"
    assert (await browser.sign_in()).status_code == 303


async def test_signing_out_ends_both(settings, provider):
    """Ours for good, also for who kept the cookie; and the provider is asked to end its own, as it describes."""
    browser = Browser(held(settings))
    await back(browser, provider)
    kept = {"Cookie": f"watchkeeper={browser.client.cookies['watchkeeper']}"}
    assert (await Browser(held(settings)).get("/console/incidents", headers=kept)).status_code == 200
    leaving = await browser.send(await browser.get("/console/incidents"), "/console/sign-out")
    there = urlsplit(onward(leaving))
    asked = parse_qs(there.query)
    assert f"{there.scheme}://{there.netloc}{there.path}" == f"{provider.issuer}/oauth2/end_session"
    assert (asked["post_logout_redirect_uri"], asked["client_id"]) == (
        [f"{ADDRESS}/console/sign-in"], [settings.oidc_client_id],
    )  # fmt: skip
    assert asked["id_token_hint"][0].count(".") == 2
    for again in (browser, Browser(held(settings))):
        assert (await again.get("/console/incidents", headers=kept)).status_code == 303


async def test_a_provider_without_a_place_to_sign_out_is_left_alone(settings, provider):
    """Then only our session ends."""
    provider.lies(metadata={"end_session_endpoint": None})
    browser = Browser(held(settings))
    await back(browser, provider)
    out = await browser.send(await browser.get("/console/incidents"), "/console/sign-out")
    assert (out.status_code, out.headers["location"]) == (303, "/console/sign-in")
    assert (await browser.get("/console/incidents")).status_code == 303


async def test_the_secret_is_read_again(settings, provider, tmp_path, monkeypatch):
    """A wrong one is refused by the provider; once its file holds the right one, the same console signs people in."""
    folder, name = tmp_path / "secrets", "watchkeeper_oidc_client_secret"
    put(folder, "old", name)
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(folder))
    rest = settings.model_fields_set - {"oidc_client_secret"}
    browser = Browser(held(load(**{each: getattr(settings, each) for each in rest})))
    assert refused(await back(browser, provider), "does not confirm this sign-in")
    put(folder, settings.oidc_client_secret.get_secret_value(), name)
    assert (await back(browser, provider)).status_code == 200


async def test_without_a_provider_nothing_of_it_is_there(tmp_path):
    """No button, and its two routes lead to the form."""
    work = held(load(data_dir=tmp_path, api_token=SecretStr(TOKEN), sql_port=1, kafka="127.0.0.1:1"))
    browser = Browser(work)
    form = await browser.get("/console/sign-in")
    assert "Sign in with" not in form.text
    assert (await browser.send(form, "/console/sign-in", to="/console/sign-in/provider")).status_code == 303
    assert (await browser.get(f"{RETURN}?state=a&code=b")).headers["location"] == "/console/sign-in"
    await signed_in(work)
