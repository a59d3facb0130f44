"""The first page: what is open, what is not known, what is fine, and that these look different."""

import re
import socket
import time

import pytest

from tests.support.console import held, seed, signed_in
from tests.support.incidents.entries import act, back, page

pytestmark = pytest.mark.store

HOSTILE = "<script>alert(1)</script>'\"&shop"


def row(text, service):
    """Return the line of a service."""
    return next(each for each in re.findall(r"<tr class.*?</tr>", text, re.DOTALL) if f"<b>{service}</b>" in each)


async def test_each_state_has_its_word_and_its_reason(client, settings):
    """What is open comes first with its clock and who has it, then what is not known, then the rest."""
    seed(client, "shop", "mail", "docs", silent=("claims",))
    work = held(settings, page(service="shop"), page("q", service="mail"), act("acknowledge", 60, "inc-q"))
    text = (await (await signed_in(work)).get("/console/")).text
    assert "2 incidents are open. Nobody has the one on shop." in text
    assert re.findall(r"<b>(\w+)</b></a></td>", text) == ["shop", "mail", "claims", "docs"]
    for service, state, said in (
        ("shop", "Incident", "<b>nobody has it</b>"),
        ("mail", "Incident", "kim has it"),
        ("claims", "Untrusted", "no event for 6 h"),
        ("docs", "Fine", "0.14 %"),
    ):
        found = row(text, service)
        assert state in found, service
        assert said in found, service
    assert "30 min 0 s" in row(text, "shop")


async def test_nothing_wrong_and_nothing_known_do_not_look_alike(client, settings):
    """All fine is one sentence; no event yet, all silent, and a store that is away are others."""
    browser = await signed_in(held(settings))
    assert "Nothing is known yet: no service has sent an event." in (await browser.get("/console/")).text
    seed(client, "shop")
    fine = (await browser.get("/console/")).text
    assert "<h1>Nothing is wrong.</h1>" in fine
    assert "banner" not in fine
    seed(client, silent=("shop",))
    assert "no service can be trusted to be fine" in (await browser.get("/console/")).text
    away = await signed_in(held(settings.model_copy(update={"sql_port": 1}), page()))
    gone = (await away.get("/console/")).text
    assert "The store does not answer." in gone
    assert "1 incident is open. Nobody has it yet." in gone
    assert row(gone, "a").count("not known") >= 3
    recovered = await signed_in(held(settings, page(service="shop"), back()))
    assert "Nothing is wrong" not in (await recovered.get("/console/")).text


async def test_a_store_that_hangs_is_said_to_soon_and_incidents_stay(settings):
    """Whoever takes the question and never answers it: the page waits for that as long as it says, not a minute."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        work = held(settings.model_copy(update={"sql_port": mute.getsockname()[1]}), page())
        browser, began = await signed_in(work), time.monotonic()
        text = (await browser.get("/console/")).text
        taken = time.monotonic() - began
    assert "The store does not answer." in text
    assert "/console/incidents/inc-p" in text
    assert taken < 20, "ASK_SECONDS were waited for"


async def test_names_from_outside_are_texts(client, settings):
    """Markup in the name of a service is shown as it is, in text, in links and in labels."""
    seed(client, HOSTILE)
    text = (await (await signed_in(held(settings, page(service=HOSTILE)))).get("/console/")).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "/console/services/%3Cscript%3E" in text


async def test_five_thousand_services_are_pages(client, settings):
    """Each page has its share, the worst come first, and a name or a state finds what is sought."""
    names = [f"service-{number:04}" for number in range(5_000)]
    client.command(
        "INSERT INTO service_minutes (minute, service_name, model_version, events) "
        "SELECT now() - INTERVAL 1 MINUTE, concat('service-', leftPad(toString(number), 4, '0')), 'm', 1 "
        "FROM numbers(5000)"
    )
    work = held(settings, page(service=names[4_321]))
    browser = await signed_in(work)
    first = (await browser.get("/console/")).text
    assert len(re.findall(r"<tr class", first)) == 50
    assert first.index("service-4321</b>") < first.index("service-0000</b>")
    last = (await browser.get("/console/?page=100")).text
    assert "page 100 of 100" in last
    assert "service-4999" in last
    found = (await browser.get("/console/?q=SERVICE-43&state=incident")).text
    assert re.findall(r"<b>(service-\d+)</b>", found) == ["service-4321"]
    assert "no service fits" in (await browser.get("/console/?q=nobody&page=7")).text
