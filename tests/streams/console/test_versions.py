"""Versions side by side: shares with their intervals, which differ and which may not, and what nobody knows."""

import json
import re
from html import unescape

import pytest
from typer.testing import CliRunner

from streams.commands.main import app
from streams.console.pages.versions import chosen
from streams.kpis.period import Period
from streams.kpis.versions import Version, versions
from tests.streams.console.test_incident import SHOP, store_events
from tests.support.console import NOW, held, seed, signed_in

pytestmark = pytest.mark.store


async def look(settings, path):
    """Return a page as text, without its markup."""
    browser = await signed_in(held(settings))
    text = (await browser.get(f"/console/versions/{path}")).text
    assert "<help>" not in text
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", text)))


@pytest.fixture
def stored(client):
    """Store events of two versions of a prompt, of which the newer one leaks a fifth of the time."""
    seed(client, SHOP)
    store_events(client, SHOP)


async def test_two_versions_of_a_prompt_are_held_against_each_other(stored, settings):
    """The newer one stands against the other: leaks differ, by how much, and the other way round."""
    text = await look(settings, "shop?days=1&subject=prompt".replace("shop", SHOP))
    assert "<help>@13 beside <help>@12" in text
    assert re.search(r"Leak 20.00% \(\S+ to \S+\) 0.00% \(\S+ to \S+\) 20.00% \(\S+ to \S+\) differs", text)
    turned = await look(settings, f"{SHOP}?days=1&subject=prompt&one=<help>@12&other=<help>@13")
    assert re.search(r"Leak 0.00% .* -20.00% \(-\S+ to -\S+\) differs", turned)


async def test_what_nobody_knows_is_said(stored, settings):
    """No index is known, nor a service that nobody heard of; whoever asks for no subject gets one with versions."""
    assert "Nothing is known of versions of indexes" in await look(settings, f"{SHOP}?days=1&subject=index")
    assert "Nothing is known" in await look(settings, "nobody")
    assert "m@2 beside m@1" in await look(settings, f"{SHOP}?days=1&subject=nonsense")


def version(name, first, calls):
    """Return a version."""
    return Version("shop", "prompt", name, first, first, calls, {}, {})


def test_without_a_word_the_newest_stands_against_that_of_most_calls():
    """One that is named stands first; the same twice, or one alone, is no pair."""
    old, much, new = version("a", 1, 10), version("b", 2, 100), version("c", 3, 5)
    assert chosen([old, much, new], "", "") == (new, much)
    assert chosen([old, much, new], "b", "") == (much, old)
    assert chosen([old, much, new], "a", "c") == (old, new)
    assert chosen([old, new], "c", "c") == (new, old)
    assert chosen([old], "", "") is None


def test_the_command_tells_the_same(stored, settings, store_settings, monkeypatch):
    """`watchkeeper kpi --by prompt` has the shares of the view, for people and for machines."""
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE", store_settings.clickhouse)
    monkeypatch.setenv("WATCHKEEPER_CLICKHOUSE_DATABASE", store_settings.clickhouse_database)
    asked = ["kpi", "--since", "2h", "--until", NOW.isoformat(), "--service", SHOP, "--by", "prompt"]
    found = CliRunner().invoke(app, [*asked, "--json"])
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert {row["version"] for row in rows} == {"<help>@12", "<help>@13"}
    [leak] = [row for row in rows if row["kpi"] == "leak" and row["version"] == "<help>@13"]
    assert (leak["value"], leak["n"], leak["calls"]) == (0.2, 90, 90)
    assert "<help>@13" in CliRunner().invoke(app, asked).stdout
    of = versions(settings, Period(NOW.replace(hour=0), NOW, SHOP), "prompt")
    assert {each.name for each in of} == {"<help>@12", "<help>@13"}
