"""People who sign in at the provider by plain HTTP, step by step, as a browser does."""

import re
from html import unescape

from pydantic import SecretStr

from streams.settings import load
from tests.support.console import ADDRESS, TOKEN

RETURN = "/console/sign-in/return"
ONWARD = r'content="0;url=([^"]+)"'


def led(provider, folder, **more):
    """Return settings that lead to a provider, where the console is a client with a secret, and else nowhere."""
    client, secret = provider.client(ADDRESS + RETURN)
    return load(
        data_dir=folder,
        api_token=SecretStr(TOKEN),
        sql_port=1,
        kafka="127.0.0.1:1",
        **of(provider, client, secret) | more,
    )


def of(provider, client, secret):
    """Return what settings say of a provider."""
    return {
        "oidc_issuer": provider.issuer, "oidc_client_id": client, "oidc_client_secret": SecretStr(secret),
        "oidc_title": "Example", "oidc_roles": "sre=responder,lead=admin",
    }  # fmt: skip


def onward(answer):
    """Return where a page leads on to by itself."""
    return unescape(re.search(ONWARD, answer.text).group(1))


async def begun(browser, following="/console/incidents"):
    """Send the form of the sign-in page, whatever page it names to go on to, and return the answer."""
    form = await browser.get("/console/sign-in", params={"next": following})
    assert "Sign in with Example" in form.text
    return await browser.send(form, "/console/sign-in/provider", next=following)


async def back(browser, provider, subject="4711", following="/console/incidents"):
    """Return the answer to who was signed in at the provider and comes back."""
    return await browser.get(provider.authorised(onward(await begun(browser, following)), subject))


def refused(answer, *words, code=403):
    """Tell whether an answer is a page that says why nobody was signed in."""
    return (answer.status_code, "You are not signed in" in answer.text, *(word in answer.text for word in words)) == (
        code, True, *(True for _ in words),
    )  # fmt: skip
