"""The page of an incident and the list of all: what stands there, and what is possible where the store is away."""

import csv
import re
from datetime import UTC, datetime

import pytest

from streams.incidents.evidence.questions import BITS
from tests.support.console import ADDRESS, held, signed_in
from tests.support.incidents.entries import NANO, act, at, back, change, page

pytestmark = pytest.mark.store

LEAK = 1 << BITS["leak"]
SHOP = "shop <i>&'\""
RATE = {"rate": 0.048, "rate_lower": 0.029, "rate_upper": 0.074, "baseline": 0.004, "evidence": "leak 4.8 %"}


def store_events(client, service="a"):
    """Store an hour of events of two versions of a service; every fifth of the newer one leaks."""
    names = [
        "event_id", "source", "service_name", "time", "tenant_id", "counted_version", "session_id", "user_pseudo_id",
        "trials", "flagged", "probe_id", "kafka_topic_id", "kafka_partition", "kafka_offset", "kafka_index",
        "prompt_name", "prompt_version",
    ]  # fmt: skip
    rows = []
    for number in range(360):
        new = number >= 180 and number % 2
        when = datetime.fromtimestamp(at(number * 10 - 1_800) / NANO, UTC)
        who = "t", "m@2" if new else "m@1", f"s{number // 4}", f"u{number // 6}"
        rows.append([f"e{number}", "s", service, when, *who, LEAK, LEAK if new and number % 5 == 0 else 0, "", "t", 0,
                     number, 0, "<help>", "13" if new else "12"])  # fmt: skip
    client.insert("inferences", rows, column_names=names)


async def test_it_says_what_since_when_how_sure_who_and_what_changed(client, settings):
    """All of it is on the page, with the counts of the store as they are now; names from outside are texts."""
    store_events(client, SHOP)
    entries = (
        page(service=SHOP, onset=-300, **RATE), change(-400, service=SHOP, version="<b>v2"),
        act("note", 60, reason="<script>x</script>", name="n"),
        *(page(f"p{second}", second, service=SHOP, onset=-300) for second in (30, 40)),
    )  # fmt: skip
    text = (await (await signed_in(held(settings, *entries))).get("/console/incidents/inc-p")).text
    assert "<script>x" not in text
    assert "<i>" not in text
    assert "<b>v2" not in text
    for said in (
        "Leak 4.8 % on shop &lt;i&gt;", "normally at most 0.4 %", "nobody has it", "2.9 % to 7.4 %",
        "&lt;script&gt;x&lt;/script&gt;", "<b>m@2</b>: 18 flagged of 90", "joined (2 times)", "SEV2",
    ):  # fmt: skip
        assert said in text, said
    counted = dict(
        re.findall(r'<th scope="row">([\w ]+)</th><td class="num">not known</td><td class="num"><b>([\d,]+)', text)
    )
    assert counted == {"flagged": "18", "of requests": "210", "sessions": "18", "users": "18", "tenants": "1"}
    assert re.search(r'<svg class="rate".*class="flag bad"', text, re.DOTALL)


async def test_who_was_told_and_what_was_asked_for_stands_on_the_timeline(client, settings):
    """Notices that came through or were given up, and controls of rules and people, beside what people did."""
    place = ["s", "a", datetime.fromtimestamp(at(90) / NANO, UTC)]
    rows = [["d1", *place, "inc-p", "oncall", "delivered"], ["d2", *place, "inc-p", "mail", "given_up"],
            ["d3", *place, "inc-q", "other", "delivered"]]  # fmt: skip
    names = ["event_id", "source", "service_name", "time", "incident_id"]
    client.insert("deliveries", rows, column_names=[*names, "receiver", "status"])
    asked = [["k1", *place, "inc-p", "kill_switch", "rule", "leaks"]]
    client.insert("controls", asked, column_names=[*names, "control", "actor_kind", "reason"])
    text = (await (await signed_in(held(settings, page(service="a")))).get("/console/incidents/inc-p")).text
    for said in ("oncall was told", "mail could not be told", "kill switch of a was asked for", "rule · leaks"):
        assert said in text, said
    assert "other was told" not in text


async def test_without_a_store_everything_of_the_fold_is_there(settings):
    """What the store would say is not known, and is said so; every action that the state allows is offered."""
    away = settings.model_copy(update={"sql_port": 1})
    entries = (page(**RATE), page("q", service="b"), act("acknowledge", 60, "inc-q"), page("r", service="c"),
               act("close", 90, "inc-r"))  # fmt: skip
    browser = await signed_in(held(away, *entries))
    for incident, possible in (
        ("inc-p", {"acknowledge", "mitigate", "note", "close", "merge", "false_positive", "assign", "correct"}),
        ("inc-q", {"mitigate", "note", "close", "merge", "false_positive", "assign", "correct"}),
        ("inc-r", {"reopen", "note", "false_positive", "correct"}),
    ):
        text = (await browser.get(f"/console/incidents/{incident}")).text
        assert "Not known: the store does not answer" in text
        assert set(re.findall(rf'action="/console/incidents/{incident}/(\w+)"', text)) == possible
    missing = await browser.get("/console/incidents/inc-nobody")
    assert (missing.status_code, "no incident is called inc-nobody" in missing.text) == (404, True)


async def test_the_list_is_filtered_by_its_address_and_exported(settings):
    """State, severity, service and who has it choose; the export has the same, and no cell is a formula."""
    entries = (
        page(service="=shop"), page("q", service="mail"), act("acknowledge", 60, "inc-q"), page("r", service="docs"),
        back("r"), act("close", 4_000, "inc-r"),
    )  # fmt: skip
    browser = await signed_in(held(settings, *entries))

    async def found(query):
        text = (await browser.get(f"/console/incidents?{query}")).text
        return re.findall(r'href="/console/incidents/(inc-\w)"', text)

    assert await found("") == ["inc-p", "inc-q"]
    assert sorted(await found("state=")) == ["inc-p", "inc-q", "inc-r"]
    assert await found("state=closed") == ["inc-r"]
    assert await found("owner=KIM") == ["inc-q"]
    assert await found("service=sho") == ["inc-p"]
    assert await found("severity=sev1") == []
    exported = await browser.get("/console/incidents.csv?state=open")
    rows = list(csv.DictReader(exported.text.splitlines()))
    assert [row["service"] for row in rows] == ["'=shop", "mail"]
    assert (rows[1]["owner"], rows[1]["seconds_to_acknowledged"]) == ("kim", "60.0")
    assert exported.headers["content-type"].startswith("text/csv")


async def test_how_long_people_took_is_held_against_its_targets(settings):
    """One plot a clock: who was in time and who was late, closed or not; filters choose, merged ones do not count."""
    entries = (
        page(), act("acknowledge", 60, "inc-p"), act("mitigate", 20_000, "inc-p", mitigation_kind="rollback"),
        page("q", service="mail"), act("acknowledge", 40_000, "inc-q"),
        page("r", service="docs"), act("acknowledge", 60, "inc-r"), act("merge", 70, "inc-r", into_incident_id="inc-q"),
    )  # fmt: skip
    browser = await signed_in(held(settings, *entries))

    async def shown(query):
        text = (await browser.get(f"/console/incidents?{query}")).text
        return re.findall(r'aria-label="(Until [^"]*)"', text), text.count('class="missed"'), text.count("<circle")

    assert await shown("") == (
        ["Until acknowledged: 1 of 2 incidents in time", "Until mitigated: 0 of 1 incidents in time"],
        2,
        1,
    )
    assert await shown("service=mail") == (["Until acknowledged: 0 of 1 incidents in time"], 1, 0)
    assert await shown("service=docs") == await shown("service=mail"), "the one that it was merged into"


async def test_ten_thousand_incidents_are_pages(settings):
    """Two hundred pages, each reached by its number; the first page has a link to the first incident of each."""
    work = held(settings, *(page(f"p{number}", number / 10, service=f"s{number}") for number in range(10_000)))
    browser = await signed_in(work)
    first = (await browser.get("/console/incidents")).text
    assert "10,000 open incidents" in first
    assert len(re.findall(r'href="/console/incidents/inc-p\d+"', first)) == 50
    last = (await browser.get("/console/incidents?page=200")).text
    assert "page 200 of 200" in last
    assert 'href="/console/incidents/inc-p0"' in last
    assert ADDRESS not in last
