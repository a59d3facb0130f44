"""Sign-in at the provider, which is another site, in a real browser: there and back, without scripts, and out again."""

import pytest

from tests.streams.console.test_approvals import ask, lifted, people  # noqa: F401  a worker that wants two persons
from tests.streams.console.test_browser import arrived
from tests.support.approvals import until
from tests.support.console import Browser, opened
from tests.support.oidc.going import back, of

pytestmark = pytest.mark.kafka

HERE = "/console/approvals"
CLICK = "document.querySelector('form[action=\"{}\"] button').click()"
AT = "location.pathname === '{}' && document.readyState === 'complete'"
AUTHORISE = "document.querySelector('[name=sub]').value = '{}'; document.querySelector('form button').click()"
APPROVE = "document.querySelector('form[action$=\"/approve\"] button')"


@pytest.fixture
def kafka_settings(kafka_settings, provider):
    """Settings that lead to the provider, who takes any client: the port of the console is not known yet."""
    provider.knows("0815", preferred_username="ann", groups=["sre"])
    return kafka_settings.model_copy(update=of(provider, "any", "any"))


async def signed_in(tab, subject):
    """Sign in by the button on the page that is shown, and at the provider."""
    await tab.run(CLICK.format("/console/sign-in/provider"))
    await tab.until(AT.format("/oauth2/authorize"))
    await tab.run(AUTHORISE.format(subject))


async def test_two_persons_come_in_by_the_provider(people, provider, tmp_path):  # noqa: F811
    """Who asked with a token is the same person here and is offered no button; another one agrees, and it is done."""
    work, _, sign_in = people
    assert "waits under Approvals" in await ask(await sign_in("kim"))
    again, [asked] = Browser(work), work.approvals.requests.all()
    await back(again, provider)
    forged = f"{HERE}/{asked.request.request_id}/approve"
    refused = await again.send(await again.get(HERE), "/console/sign-out", to=forged)
    assert (refused.status_code, "another person has to agree" in refused.text) == (409, True)
    async with opened(work, tmp_path / "browser") as (tab, address):
        await tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        await tab.open(f"{address}{HERE}")
        await tab.until(arrived("/console/sign-in", "Sign in with Example"))
        await signed_in(tab, "4711")
        await tab.until(arrived(HERE, "oidc/kim"))
        assert await tab.run(f"{APPROVE} === null")
        await tab.run(CLICK.format("/console/sign-out"))
        await tab.until(AT.format("/oauth2/end_session"))
        await tab.run("document.querySelector('form button').click()")
        await tab.until(arrived("/console/sign-in", "Sign in with Example"))
        await tab.ask("Emulation.setScriptExecutionDisabled", value=False)
        await tab.open(f"{address}{HERE}")
        await tab.until(arrived("/console/sign-in"))
        await signed_in(tab, "0815")
        await tab.until(arrived(HERE, "oidc/ann"))
        await tab.run(f"{APPROVE}.click()")
        await tab.until(arrived(HERE, "Approved"))
        assert [each for each in tab.complaints if address in str(each)] == []
    await until(lambda: work.approvals.requests.all()[0].done)
    assert await lifted(work) == [("kim", "<b>fixed", "watchkeeper/console")]
