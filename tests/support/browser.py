"""A real browser without a screen, driven by its own protocol (Chrome DevTools)."""

import asyncio
import base64
import itertools
import os
import re
import shutil
import signal
from contextlib import asynccontextmanager

import aiohttp
import pytest

BROWSER = "chromium-headless-shell"
SECONDS = 120


class Tab:
    """One page of the browser."""

    def __init__(self, socket, session):
        self._socket, self._session, self._numbers = socket, session, itertools.count(1)
        self.complaints = []

    async def ask(self, method, **parameters):
        """Send a command, and return its result; what the page complains about meanwhile is kept."""
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(asked | ({"sessionId": self._session} if self._session else {}))
        while True:
            said = await self._socket.receive_json(timeout=SECONDS)
            if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(said["params"])
            if said.get("id") == number:
                assert "error" not in said, said
                return said["result"]

    async def open(self, address):
        """Go to an address, and wait until it is there."""
        await self.ask("Page.navigate", url=address)
        await self.until("document.readyState === 'complete'")

    async def run(self, script):
        """Return what a script comes to, or what it promises."""
        found = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return found["result"].get("value")

    async def until(self, script):
        """Wait until a script is true, whatever pages come and go meanwhile."""
        async with asyncio.timeout(SECONDS):
            while not await self.run(script):  # noqa: ASYNC110  what happens in the browser tells nobody
                await asyncio.sleep(0.05)

    async def press(self, key):
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            await self.ask("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")

    async def size(self, width, height, *, dark=False):
        """Show the page on a screen of this size, in the light or in the dark."""
        mode = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.ask("Emulation.setEmulatedMedia", features=mode)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)

    async def look(self, file, width=1280, height=800, *, dark=False):
        """Write a picture of the whole page."""
        await self.size(width, height, dark=dark)
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=height == 0)
        file.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def browser(folder):
    """Give a tab of a browser with nothing in it."""
    if shutil.which(BROWSER) is None:
        pytest.skip(f"{BROWSER} is not installed (Debian: {BROWSER})")
    command = [BROWSER, "--no-sandbox", "--remote-debugging-port=0"]
    process = await asyncio.create_subprocess_exec(
        *command, f"--user-data-dir={folder}", "about:blank", stderr=asyncio.subprocess.PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(SECONDS):
            while not (found := re.search(rb"ws://\S+", await process.stderr.readline())):
                assert process.returncode is None, "the browser ended"
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(found.group().decode(), max_msg_size=0) as socket,
        ):
            main = Tab(socket, None)
            target = await main.ask("Target.createTarget", url="about:blank")
            session = await main.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
            tab = Tab(socket, session["sessionId"])
            for domain in ("Page", "Runtime", "Log"):
                await tab.ask(f"{domain}.enable")
            yield tab
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it has children, which hold its streams
        await process.wait()
