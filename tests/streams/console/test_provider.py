"""Sign-in at a real OpenID provider by plain HTTP: who comes in, as whom, with which roles, for how long."""

import re
from html import unescape

import pytest
from pydantic import SecretStr

from streams.settings import load
from tests.support.console import ADDRESS, TOKEN, Browser, held
from tests.support.incidents.entries import page
from tests.support.oidc.provider import provider as running

pytestmark = pytest.mark.store

RETURN = "/console/sign-in/return"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    """A provider that runs."""
    with running(tmp_path_factory.mktemp("provider")) as found:
        yield found


@pytest.fixture
def settings(provider, tmp_path):
    """Settings that lead to the provider, and else nowhere."""
    provider.lies()
    provider.knows("4711", preferred_username="kim", groups=["sre", "staff"])
    client, secret = provider.client(ADDRESS + RETURN)
    return load(
        data_dir=tmp_path, api_token=SecretStr(TOKEN), sql_port=1, kafka="127.0.0.1:1", oidc_issuer=provider.issuer,
        oidc_client_id=client, oidc_client_secret=SecretStr(secret), oidc_title="Example",
        oidc_roles="sre=responder,lead=admin",
    )  # fmt: skip


async def begun(browser, following="/console/incidents"):
    """Return the address at the provider that the form of the sign-in page leads to."""
    form = await browser.get(f"/console/sign-in?next={following}")
    sent = await browser.send(form, "/console/sign-in/provider")
    assert sent.status_code == 200, sent.text
    return unescape(re.search(r'content="0;url=([^"]+)"', sent.text).group(1))


async def test_somebody(settings, provider):
    browser = Browser(held(settings, page()))
    there = await begun(browser)
    back = provider.authorised(there, "4711")
    answer = await browser.get(back)
    print(answer.status_code, answer.text, answer.headers)
    shown = await browser.get("/console/incidents")
    print(shown.status_code, "oidc/kim" in shown.text)
    assert 0
