"""A service over time and the table of KPIs: values of the loaders of boards and commands, what is unknown in words."""

import re
from datetime import timedelta

import pytest

from streams.console.pages import service
from streams.kpis import page as kpi_page
from streams.kpis.page import hourly_rows
from streams.kpis.period import Period
from streams.store.ask import ask_rows
from tests.support.console import NOW, held, hours, minutes, seed, signed_in
from tests.support.histories import fill
from tests.support.incidents.entries import back, page

pytestmark = pytest.mark.store


async def test_a_service_is_drawn_with_what_happened_to_it(client, settings):
    """Rates with bands, where an incident began and recovered, the hours that are not trusted, and its KPIs."""
    seed(client, "shop/<b>")
    browser = await signed_in(held(settings, page(service="shop/<b>"), back(second=900, service="shop/<b>")))
    text = (await browser.get("/console/services/shop/%3Cb%3E")).text
    assert "shop/&lt;b&gt;" in text
    assert "shop/<b>" not in text
    drawn = re.findall(r"<h2>(.*?) <span", text)
    assert {"Unsafe output served", "Guard coverage"} <= set(drawn)
    assert len(re.findall(r'class="flag good"', text)) >= 2
    assert re.search(r'<polygon class="band"', text)
    silent = (await browser.get("/console/services/nobody")).text
    assert "<strong>Nothing is known</strong>" in silent


WHOLE = """
SELECT kpi, service_name, toUnixTimestamp(window_start) AS at, value, lower, upper, trust
FROM kpis(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step=3600, versions=0,
    objective={objective:Float64}, known_at={until:DateTime('UTC')})
WHERE has({drawn:Array(String)}, kpi) AND service_name = {service:String}
"""


def test_what_is_drawn_is_what_the_view_of_all_kpis_says(client, settings):
    """Each KPI comes from the view that counts it alone: the same hours, values, intervals and trust."""
    seed(client, "shop")
    drawn = sorted({*kpi_page.DRAWN, *service.DRAWN})
    asked = Period(NOW - timedelta(hours=7), NOW, "shop")
    found, whole = hourly_rows(settings, asked, drawn), ask_rows(settings, WHOLE, asked.parameters() | {"drawn": drawn})
    assert len(found) == len(whole) >= 6 * len(drawn)
    assert sorted(found, key=str) == sorted(whole, key=str)


async def test_kpis_are_grouped_and_what_misses_its_objective_comes_first(client, settings):
    """Whoever misses what is wanted is counted and opened; a KPI that nobody has a value of is not known, not zero."""
    rows = [*hours("good"), *hours("worse", unsafe=lambda _: 90)]
    fill(client, service_hours=rows, service_minutes=[minutes("good"), minutes("worse")])
    browser = await signed_in(held(settings))
    text = (await browser.get("/console/kpis")).text
    [unsafe] = re.findall(r"<details open><summary><b>Unsafe output served</b>.*?</details>", text, re.DOTALL)
    assert "missed by 1 of 2" in unsafe
    assert re.findall(r"<td>(good|worse)</td>", unsafe) == ["worse", "good"]
    assert "9.00 %" in unsafe
    [kappa] = re.findall(r"<details><summary><b>Inter-rater agreement</b>.*?</summary>", text, re.DOTALL)
    assert "not known" in kappa
    assert "0.00" not in kappa
    one = (await browser.get("/console/kpis?service=good&days=1")).text
    assert "<td>worse</td>" not in one
    away = await signed_in(held(settings.model_copy(update={"sql_port": 1})))
    for path in ("/console/kpis", "/console/services/good"):
        assert "The store does not answer." in (await away.get(path)).text
