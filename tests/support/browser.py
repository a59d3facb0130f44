"""A real browser without a screen: Playwright drives Debian's Chromium, one context a person."""

import shutil
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import async_playwright, expect

BROWSER = "chromium-headless-shell"
MILLISECONDS = 120_000


@asynccontextmanager
async def browser():
    """Give a tab of a browser with nothing in it."""
    program = shutil.which(BROWSER)
    if program is None:
        pytest.skip(f"{BROWSER} is not installed (Debian: {BROWSER})")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=program)
        yield await _tab(running)
        await running.close()


async def another(tab, *, scripts=True, signed_in=False):
    """Return a tab of somebody else in the same browser, or of the same person where cookies are taken along."""
    state = await tab.context.storage_state() if signed_in else None
    return await _tab(tab.context.browser, java_script_enabled=scripts, storage_state=state)


async def _tab(running, **options):
    """Return a tab with cookies of its own."""
    context = await running.new_context(viewport={"width": 1280, "height": 800}, **options)
    context.set_default_timeout(MILLISECONDS)
    return await context.new_page()


async def shown(tab, path, text=""):
    """Wait until a page is there and says something, whatever pages come and go meanwhile."""
    await tab.wait_for_url(lambda address: urlsplit(address).path == path)
    await expect(tab.locator("body")).to_contain_text(text, use_inner_text=True, timeout=MILLISECONDS)


async def complaints(tab):
    """Return what the pages of a tab complained about: a script that failed, what their own policy blocked."""
    said = await tab.console_messages(filter="all")
    failed = await tab.page_errors(filter="all")
    return [each.text for each in said if each.type == "error"] + [str(each) for each in failed]


async def size(tab, width, height, *, dark=False):
    """Show the page on a screen of this size, in the light or in the dark."""
    await tab.emulate_media(color_scheme="dark" if dark else "light")
    await tab.set_viewport_size({"width": width, "height": height})
