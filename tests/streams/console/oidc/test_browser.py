"""Sign-in at the provider, which is another site, in a real browser: there and back, without scripts, and out again."""

import pytest

from tests.streams.console.test_approvals import ask, lifted, people  # noqa: F401  a worker that wants two persons
from tests.support.approvals import until
from tests.support.browser import another, complaints, shown
from tests.support.console import Browser, opened
from tests.support.oidc.going import back, of

pytestmark = pytest.mark.kafka

HERE = "/console/approvals"
APPROVE = "form[action$='/approve'] button"


@pytest.fixture
def kafka_settings(kafka_settings, provider):
    """Settings that lead to the provider, who takes any client: the port of the console is not known yet."""
    provider.knows("0815", preferred_username="ann", groups=["sre"])
    return kafka_settings.model_copy(update=of(provider, "any", "any"))


async def signed_in(tab, subject):
    """Sign in by the button on the page that is shown, and at the provider."""
    await tab.click("form[action='/console/sign-in/provider'] button")
    await shown(tab, "/oauth2/authorize")
    await tab.fill("[name=sub]", subject)
    await tab.click("form button >> nth=0")


async def test_two_persons_come_in_by_the_provider(people, provider):  # noqa: F811
    """Who asked with a token is the same person here and is offered no button; another one agrees, and it is done."""
    work, _, sign_in = people
    assert "waits under Approvals" in await ask(await sign_in("kim"))
    again, [asked] = Browser(work), work.approvals.requests.all()
    await back(again, provider)
    forged = f"{HERE}/{asked.request.request_id}/approve"
    refused = await again.send(await again.get(HERE), "/console/sign-out", to=forged)
    assert (refused.status_code, "another person has to agree" in refused.text) == (409, True)
    async with opened(work) as (tab, address):
        plain = await another(tab, scripts=False)
        await plain.goto(f"{address}{HERE}")
        await shown(plain, "/console/sign-in", "Sign in with Example")
        await signed_in(plain, "4711")
        await shown(plain, HERE, "oidc/kim")
        assert await plain.locator(APPROVE).count() == 0
        await plain.click("form[action='/console/sign-out'] button")
        await shown(plain, "/oauth2/end_session")
        await plain.click("form button >> nth=0")
        await shown(plain, "/console/sign-in", "Sign in with Example")
        await tab.goto(f"{address}{HERE}")
        await signed_in(tab, "0815")
        await shown(tab, HERE, "oidc/ann")
        await tab.click(APPROVE)
        await shown(tab, HERE, "Approved")
        assert [each for each in await complaints(tab) if address in each] == []
    await until(lambda: work.approvals.requests.all()[0].done)
    assert await lifted(work) == [("kim", "<b>fixed", "watchkeeper/console")]
