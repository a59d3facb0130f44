"""The first page: what is open, what is not known, what is fine, and that these look different."""

import re
import socket
import time
from datetime import timedelta

import pytest

from streams.console import asking
from streams.store import ask
from tests.support.console import NOW, held, seed, signed_in
from tests.support.incidents.entries import act, back, page

pytestmark = pytest.mark.store

HANG_SECONDS = asking.PATIENCE_SECONDS
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


async def test_a_ticket_is_to_be_watched_until_it_is_proven_back(client, settings):
    """An open one of the last day says what it is about; one that is over, or a page, makes nothing to watch."""
    seed(client, "shop", "mail")
    names = ["finding_id", "severity", "kind", "service_name", "metric", "detected_time", "opened_finding_id"]
    rows = [
        [name, severity, kind, service, "refusal", NOW - timedelta(hours=2), opened]
        for name, severity, kind, service, opened in (
            ("t1", "ticket", "rate", "shop", ""), ("t2", "ticket", "rate", "mail", ""),
            ("r2", "info", "recovery", "mail", "t2"), ("p3", "page", "rate", "mail", ""),
        )
    ]  # fmt: skip
    client.insert("findings", rows, column_names=names)
    text = (await (await signed_in(held(settings))).get("/console/")).text
    assert "refusal: rate (ticket)" in row(text, "shop")
    assert "Watch" in row(text, "shop")
    assert "Fine" in row(text, "mail")


async def test_what_changed_today_is_told_with_who_did_it(client, settings):
    """Changes of the last day stand under the services, the newest first."""
    seed(client, "shop")
    names = ["change_id", "event_id", "source", "service_name", "subject_type", "subject_name", "action",
             "from_version", "to_version", "initiator_id", "time"]  # fmt: skip
    same = ["s", "shop", "prompt"]
    rows = [[f"c{ago}", f"c{ago}", *same, f"<i>{ago}", "started", "41", "42", "bot", NOW - timedelta(hours=ago)]
            for ago in (30, 3, 1)]  # fmt: skip
    client.insert("changes", rows, column_names=names)
    text = (await (await signed_in(held(settings))).get("/console/")).text
    assert re.findall(r"prompt <b>(.*?)</b> started 41 → 42</td>", text) == ["&lt;i&gt;1", "&lt;i&gt;3"]


async def test_nothing_wrong_and_nothing_known_do_not_look_alike(client, settings):
    """All fine is one sentence; no event yet, all silent, and a store that is away are others."""
    browser = await signed_in(held(settings))
    assert "Nothing is known yet: no service has sent an event." in (await browser.get("/console/")).text
    seed(client, "shop")
    fine = (await browser.get("/console/")).text
    assert "<h1>Nothing is wrong.</h1>" in fine
    assert "banner" not in re.sub(r'<p id="away".*?</p>', "", fine)
    seed(client, silent=("shop",))
    assert "no service can be trusted to be fine" in (await browser.get("/console/")).text
    away = await signed_in(held(settings.model_copy(update={"sql_port": 1}), page()))
    gone = (await away.get("/console/")).text
    assert "The store does not answer." in gone
    assert "1 incident is open. Nobody has it yet." in gone
    assert row(gone, "a").count("not known") >= 3
    recovered = await signed_in(held(settings, page(service="shop"), back()))
    assert "Nothing is wrong" not in (await recovered.get("/console/")).text


async def test_a_store_that_hangs_is_said_to_soon_and_incidents_stay(settings, monkeypatch):
    """Whoever takes the question and never answers it: the page waits for that as long as it says, not a minute."""
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", HANG_SECONDS)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        work = held(settings.model_copy(update={"sql_port": mute.getsockname()[1]}), page())
        browser, began = await signed_in(work), time.monotonic()
        text = (await browser.get("/console/")).text
        taken = time.monotonic() - began
    assert "The store does not answer." in text
    assert "/console/incidents/inc-p" in text
    assert taken < ask.ASK_SECONDS / 2


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
