"""What a real provider, told to lie, somebody between, or another browser can do: nothing, and the page says so."""

import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from structlog.testing import CapturingLogger

from tests.support.console import Browser, held, signed_in
from tests.support.oidc.going import RETURN, back, begun, led, onward, refused
from tests.support.oidc.provider import provider as running

pytestmark = pytest.mark.store

TOKENS = {
    "another nonce": ("'nonce'", {"claims": {"nonce": "another"}}),
    "no nonce": ("'nonce'", {"claims": {"nonce": None}}),
    "expired": ("expired", {"claims": {"iat": 1_700_000_000, "exp": 1_700_000_600}}),
    "of tomorrow": ("not yet valid", {"claims": {"nbf": 4_000_000_000, "exp": 4_000_000_600}}),
    "another audience": ("'aud'", {"claims": {"aud": "another-client"}}),
    "for others too, and of none of them": (
        "'aud'",
        {"claims": {"aud": ["another-client", "more"], "azp": "another-client"}},
    ),
    "another issuer": ("'iss'", {"claims": {"iss": "https://evil.example"}}),
    "another access token": ("'at_hash'", {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}}),
    "no subject": ("'sub'", {"claims": {"sub": None}}),
    "no signature": ("'none' is not allowed", {"alg": "none"}),
    "signed with the public key": ("'HS256' is not allowed", {"alg": "HS256"}),
    "signed with another key under the name of ours": (
        "bad_signature",
        {"key": "evil", "kid": "first", "shown": "first"},
    ),
    "signed with a key that nobody shows": ("No key for kid", {"key": "evil", "shown": "first"}),
}
PROVIDERS = {
    "another issuer": ("calls itself otherwise", {"issuer": "https://evil.example"}),
    "tokens by a line that others read": (
        "token_endpoint is not https",
        {"token_endpoint": "http://evil.example/token"},
    ),
    "keys by a line that others read": ("jwks_uri is not https", {"jwks_uri": "http://evil.example/keys"}),
    "a page that is none": ("authorization_endpoint is not https", {"authorization_endpoint": "javascript:alert(1)"}),
    "no signatures": ("signs with none of", {"id_token_signing_alg_values_supported": ["none", "HS256"]}),
    "no keys": ("names no jwks_uri", {"jwks_uri": None}),
    "tokens from elsewhere": ("can't be asked", {"token_endpoint": "https://127.0.0.1:1/token"}),
    "an issuer in answers that is not there": (
        "of another issuer",
        {"authorization_response_iss_parameter_supported": True},
    ),
}


@pytest.fixture
def said(monkeypatch):
    """What is logged of sign-ins."""
    logger = CapturingLogger()
    monkeypatch.setattr("streams.console.single.log", logger)
    return logger


async def entered(browser):
    """Tell whether somebody is signed in."""
    return (await browser.get("/console/incidents")).status_code == 200


@pytest.mark.parametrize("lie", TOKENS)
async def test_a_token_that_does_not_hold_lets_nobody_in(settings, provider, said, lie):
    """Whatever is wrong with it; and the same console signs people in again once the provider is honest."""
    browser = Browser(held(settings))
    wrong, lies = TOKENS[lie]
    provider.lies(**lies)
    assert refused(await back(browser, provider), "What Example says of you does not hold")
    assert wrong in said.calls[-1].kwargs["detail"]
    assert not await entered(browser)
    provider.lies()
    await back(browser, provider)
    assert await entered(browser)


@pytest.mark.parametrize("lie", PROVIDERS)
async def test_a_provider_that_is_not_as_it_should_be_is_not_asked(settings, provider, said, lie):
    """Nobody is sent there, or what comes back is refused; tokens work."""
    browser = Browser(held(settings))
    wrong, lies = PROVIDERS[lie]
    provider.lies(metadata=lies)
    answer = await begun(browser)
    if answer.status_code == 200:
        answer = await browser.get(provider.authorised(onward(answer), "4711"))
    assert answer.status_code in (403, 503)
    assert "You are not signed in" in answer.text
    assert wrong in said.calls[-1].kwargs["detail"]
    assert not await entered(browser)
    assert (await browser.sign_in()).status_code == 303


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/oauth2/token"])
async def test_no_redirect_is_followed(settings, provider, said, path):
    """What is sent to the provider, its secret among it, goes nowhere else."""
    browser = Browser(held(settings))
    provider.lies(moved=path)
    answer = await begun(browser)
    if answer.status_code == 200:
        answer = await browser.get(provider.authorised(onward(answer), "4711"))
    assert refused(answer, "Example does not answer", code=503)
    assert "sends requests elsewhere" in said.calls[-1].kwargs["detail"]


async def test_keys_may_change_while_the_console_runs(settings, provider):
    """A key with another name, and another under the same: who signs in meanwhile notices nothing."""
    browser = Browser(held(settings))
    for lies in ({}, {"key": "second"}, {"key": "third", "kid": "second"}):
        provider.lies(**lies)
        await back(browser, provider)
        assert await entered(browser), lies
        await browser.send(await browser.get("/console/incidents"), "/console/sign-out")


async def test_only_the_browser_that_left_comes_back(settings, provider):
    """Another state, none, another browser with the address of ours (who would then be somebody else), no cookie."""
    browser, other = Browser(held(settings)), Browser(held(settings))
    other.client._transport = browser.client._transport
    there = provider.authorised(onward(await begun(browser)), "4711")
    await begun(other)
    asked = parse_qs(urlsplit(there).query)
    for wrong in ({"code": asked["code"][0]}, {"code": asked["code"][0], "state": "guessed"}):
        assert refused(await other.get(f"{RETURN}?{urlencode(wrong)}"), "not begun in this browser")
    assert refused(await other.get(there), "not begun in this browser")
    assert refused(await Browser(held(settings)).get(there), "not begun in this browser")
    assert not await entered(other)
    assert (await browser.get(there)).status_code == 200
    assert await entered(browser)


async def test_a_way_back_is_gone_once(settings, provider):
    """The same address again, with the cookie as it was, is refused; so is a used code on a way of its own."""
    browser = Browser(held(settings))
    there = provider.authorised(onward(await begun(browser)), "4711")
    kept = {"Cookie": f"watchkeeper-going={browser.client.cookies['watchkeeper-going']}"}
    assert (await browser.get(there)).status_code == 200
    browser.client.cookies.clear()
    assert refused(
        await browser.get(there, headers=kept), "This sign-in was not begun in this browser, was used already"
    )
    used = parse_qs(urlsplit(there).query)["code"][0]
    again = parse_qs(urlsplit(onward(await begun(browser))).query)["state"][0]
    replayed = await browser.get(f"{RETURN}?{urlencode({'code': used, 'state': again})}")
    assert refused(replayed, "was used already, or took too long")
    assert not await entered(browser)


async def test_a_code_is_worth_nothing_without_what_the_browser_took_along(settings, provider):
    """The code of somebody else's way, brought back on one's own: the provider holds it to its PKCE challenge."""
    victim, thief = Browser(held(settings)), Browser(held(settings))
    code = parse_qs(urlsplit(provider.authorised(onward(await begun(victim)), "4711")).query)["code"][0]
    state = parse_qs(urlsplit(onward(await begun(thief))).query)["state"][0]
    assert refused(await thief.get(f"{RETURN}?{urlencode({'code': code, 'state': state})}"), "does not confirm")
    assert not await entered(thief)


async def test_a_way_ends_after_ten_minutes(settings, provider, monkeypatch):
    """Who comes back later begins anew."""
    browser = Browser(held(settings))
    there = provider.authorised(onward(await begun(browser)), "4711")
    later = time.time() + 601
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert refused(await browser.get(there), "took longer than ten minutes")


async def test_what_a_provider_answers_is_not_repeated(settings, provider, said):
    """Neither in the page nor in a log line: an error is told in our own words, and only on a way that was begun."""
    hostile = {
        "error": "<script>alert(1)</script>\x1b[2J",
        "error_description": "call 0800-SCAM",
        "error_uri": "https://evil",
    }
    browser = Browser(held(settings))
    assert refused(await browser.get(f"{RETURN}?{urlencode(hostile)}"), "not begun in this browser")
    for more in ({}, {"iss": "https://evil"}):
        state = parse_qs(urlsplit(onward(await begun(browser))).query)["state"]
        answer = await browser.get(f"{RETURN}?{urlencode(hostile | more | {'state': state[0]})}")
        assert refused(answer, "Example did not sign you in")
        assert not any(word in answer.text for word in ("alert(1)", "SCAM", "evil"))
        assert ("script" in str(said.calls), "\x1b" in said.calls[-1].kwargs["detail"]) == (True, False)
    assert refused(await browser.get(provider.denied(onward(await begun(browser)))), "Example did not sign you in")


async def test_an_answer_of_another_issuer_is_refused(settings, provider):
    """Where it says whose it is (RFC 9207), that is ours."""
    browser = Browser(held(settings))
    there = provider.authorised(onward(await begun(browser)), "4711")
    assert refused(await browser.get(f"{there}&iss=https%3A%2F%2Fevil.example"), "does not hold")


async def test_a_form_of_another_page_begins_nothing(settings):
    """Without the secret of this session nobody is sent to the provider."""
    browser = await signed_in(held(settings))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await browser.client.post("/console/sign-in/provider", content="csrf=x", headers=form)).status_code == 403


async def test_with_the_provider_away_tokens_let_people_in(tmp_path):
    """A page says that it does not answer; who is signed in stays so; once it is there again, it signs in."""
    with running(tmp_path) as provider:
        provider.knows("4711", preferred_username="kim", groups=["sre"])
        settings = led(provider, tmp_path)
        browser, late = Browser(held(settings)), Browser(held(settings))
        await back(browser, provider)
        there = provider.authorised(onward(await begun(late)), "4711")
        provider.stop()
        assert refused(await begun(Browser(held(settings))), "Example does not answer", code=503)
        assert refused(await late.get(there), "Example does not answer", code=503)
        assert await entered(browser)
        assert (await late.sign_in()).status_code == 303
        left = await browser.send(await browser.get("/console/incidents"), "/console/sign-out")
        assert left.status_code in (200, 303)
        provider.start()
        provider.knows("4711", preferred_username="kim", groups=["sre"])
        settings = led(provider, tmp_path)
        assert (await back(Browser(held(settings)), provider)).status_code == 200


async def test_a_provider_that_never_answers_holds_up_nobody(settings, provider, monkeypatch):
    """So many may wait for it; whoever comes then is told so at once, and tokens work."""
    browser = Browser(held(settings))
    monkeypatch.setattr("streams.access.oidc.provider.MOST_WAITING", 0)
    assert refused(await begun(browser), "Too many people sign in at once", code=503)
    monkeypatch.setattr("streams.access.oidc.provider.MOST_WAITING", 32)
    monkeypatch.setattr("streams.access.oidc.provider.PATIENCE_SECONDS", 0.2)
    with provider.hanging():
        assert refused(await begun(browser), "Example does not answer", code=503)
        assert (await browser.sign_in()).status_code == 303
