"""Who asks too much, or guesses, waits: at the API and in the console, alone, and with a word in the audit log."""

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from streams.access.principals import create, tokens_file
from streams.audit.wiring import recorded
from streams.settings import load
from tests.support.audit import entries
from tests.support.console import TOKEN, Browser, held
from tests.support.incidents.entries import page

pytestmark = pytest.mark.store

DAY = 86_400
HERE, THERE = "192.0.2.1", "192.0.2.2"


@pytest.fixture
def settings(tmp_path):
    """Settings with few requests a minute, which lead nowhere."""
    return load(
        data_dir=tmp_path, api_token=SecretStr(TOKEN), sql_port=1, kafka="127.0.0.1:1", requests_a_minute=5,
        strangers_a_minute=20, lockout_tries=3, lockout_seconds=60,
    )  # fmt: skip


@pytest.fixture
def work(settings):
    """A worker that holds an incident."""
    return held(settings, page())


def bearer(token):
    """Return the header of a token."""
    return {"Authorization": f"Bearer {token}"}


async def ask(browser, token="", address=HERE, **more):
    """Return the answer for the list of incidents, asked from an address."""
    browser.moves_to(address)
    return await browser.get("/incidents", headers=bearer(token) if token else {}, **more)


def counted(code="429", door="api"):
    """Return how many were refused with a status."""
    return REGISTRY.get_sample_value("watchkeeper_turned_away_total", {"door": door, "code": code}) or 0


async def test_one_who_asks_too_much_is_refused_and_nobody_else(work):
    """429 with `Retry-After` and a sentence, for this principal alone; with another token of the name too."""
    kim, more, ann = (create(tokens_file(work.settings), who, ("viewer",), DAY) for who in ("kim", "kim", "ann"))
    browser, before = Browser(work), counted()
    answers = [await ask(browser, token) for token in (kim, more) * 4]
    assert [each.status_code for each in answers] == [200] * 5 + [429] * 3
    assert answers[-1].json()["detail"].startswith("more than 5 requests a minute: nothing was done; try again in ")
    assert 0 < int(answers[-1].headers["retry-after"]) <= 12
    assert (await ask(browser, kim, THERE)).status_code == 429
    assert (await ask(browser, ann)).status_code == 200
    assert counted() == before + 4
    for address, status in ((HERE, 429), (THERE, 200)):  # the token of the installation is told apart by address
        for _ in range(6):
            answer = await ask(browser, TOKEN, address)
            if address == THERE:
                break
        assert answer.status_code == status


async def test_who_looks_too_much_can_act_still(work):
    """Pages that renew themselves, and pages that are looked at, leave to act what it has; live parts count apart."""
    browser = Browser(work)
    await browser.sign_in()
    shown = [await browser.get("/console/incidents/inc-p", headers={"Last-Event-ID": "old"}) for _ in range(7)]
    assert [each.status_code for each in shown] == [200] * 5 + [429] * 2
    assert (shown[-1].headers["retry-after"].isdigit(), "try again in" in shown[-1].text) == (True, True)
    live = [await browser.get("/console/live", headers={"Last-Event-ID": "old"}) for _ in range(6)]
    assert [each.status_code for each in live] == [200] * 5 + [429]
    form = "/console/incidents/inc-p/acknowledge"
    acted = await browser.send(shown[0], form, "/console/incidents/inc-p/reopen")  # as it is open, nothing is written
    assert acted.status_code not in (429, 403)


async def test_strangers_are_counted_by_address_and_keep_nobody_out(work):
    """Without a token an address has its own allowance at API and console together; a token from there comes in."""
    browser = Browser(work)
    kim = create(tokens_file(work.settings), "kim", ("viewer",), DAY)
    answers = [(await ask(browser)).status_code for _ in range(10)]
    answers += [(await browser.get(path)).status_code for path in ("/console/", "/console/sign-in") * 6]
    assert answers == [401] * 10 + [303, 200] * 5 + [429] * 2
    assert (await ask(browser, kim)).status_code == 200
    assert (await ask(browser, "", THERE)).status_code == 401


GUESSABLE = {
    # who asks with what, from where, after three wrong tokens from HERE: what is answered
    "another wrong one": ("wrong again", HERE, 429),
    "the token of the installation, which is short": (TOKEN, HERE, 429),
    "a token of one's own, which nobody guesses": ("kim", HERE, 200),
    "the short one from elsewhere": (TOKEN, THERE, 200),
    "a wrong one from elsewhere": ("wrong again", THERE, 401),
    "none": ("", HERE, 401),
}


@pytest.mark.parametrize(("token", "address", "status"), GUESSABLE.values(), ids=GUESSABLE)
async def test_who_guesses_waits_and_keeps_nobody_out(work, token, address, status):
    """Each cell after three wrong tokens; the wait is in `Retry-After`, and a wrong one was never let in."""
    browser = Browser(work)
    kim = create(tokens_file(work.settings), "kim", ("viewer",), DAY)
    assert [(await ask(browser, f"wrong {each}")).status_code for each in range(3)] == [401] * 3
    answer = await ask(browser, {"kim": kim}.get(token, token), address)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, "1" if status == 429 else None)


async def test_a_token_of_ones_own_wipes_out_no_guesses_at_others(work):
    """Whoever has one, and uses it between guesses, waits all the same, at the API and at the form."""
    browser = Browser(work)
    ann = create(tokens_file(work.settings), "ann", ("viewer",), DAY)
    for each in range(3):
        assert (await ask(browser, f"wrong {each}")).status_code == 401
        assert (await ask(browser, ann)).status_code == 200
    assert (await ask(browser, TOKEN)).status_code == 429
    browser.moves_to(THERE)
    for each in range(3):
        assert (await browser.sign_in("kim", f"wrong {each}")).status_code == 403
        assert (await browser.sign_in("kim", ann)).status_code == 303
    assert (await browser.sign_in("kim")).status_code == 429


async def test_guesses_at_the_form_of_the_console_count_too(work):
    """Three wrong tokens under a name: the next is answered with how long to wait; who is signed in goes on."""
    browser, guest = Browser(work), Browser(work)
    await browser.sign_in()
    answers = [await guest.sign_in("kim", f"wrong {each}") for each in range(4)]
    assert [each.status_code for each in answers] == [403] * 3 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert (await guest.sign_in("kim")).status_code == 429
    assert (await browser.get("/console/incidents")).status_code == 200
    guest.moves_to(THERE)
    assert (await guest.sign_in("kim")).status_code == 303


async def test_the_audit_log_has_a_flood_in_a_line(work):
    """One entry says who asked too much, and why; guesses and their wait are there, and no token."""
    kim = create(tokens_file(work.settings), "kim", ("viewer",), DAY)
    browser = Browser(work)
    _, recorder = recorded(browser.application, work.settings, work.publisher, work.policy)
    await recorder.start()
    for _ in range(50):
        await ask(browser, kim)
    for each in range(4):
        await ask(browser, f"s3cret {each}")
    await recorder.stop()
    found = [each for each in entries(recorder.log) if each["kind"] == "refused"]
    assert [(each.get("who"), each["status"], each.get("why"), each["address"]) for each in found] == [
        ("kim", 429, "pace", HERE), *[(None, 401, None, HERE)] * 3, (None, 429, "locked", HERE)
    ]  # fmt: skip
    assert b"s3cret" not in recorder.log.parts()[0][0].read_bytes()
