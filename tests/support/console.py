"""A console over a store that answers and over incidents that are held, as a browser sees it."""

import asyncio
import re
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import httpx2
from pydantic import SecretStr

from streams.api import approvals, changes, controls, erasures, policies, reviews, triage
from streams.api.incidents import api
from streams.api.server import Server
from streams.console.app import add_console
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.severity import severity_of
from streams.incidents.worker import Incidents
from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.local.broker import free_port
from streams.policy.policy import Policy
from streams.sql.server import Endpoint
from streams.worker.parts import Parts
from tests.support.browser import browser
from tests.support.histories import fill
from tests.support.incidents.entries import NANO, at, taken

TOKEN = "t0ken-of-the-console"  # noqa: S105
ADDRESS = "http://127.0.0.1:8130"
NOW = datetime.fromtimestamp(at(1_800) / NANO, UTC)
"""What the time of the stream is, unless a test says otherwise."""


@asynccontextmanager
async def store(settings):
    """Give settings that lead to a store that answers."""
    endpoint = Endpoint(settings.model_copy(update={"sql_port": 0}))
    endpoint.start()
    yield settings.model_copy(update={"sql_port": endpoint.port, "api_token": SecretStr(TOKEN)})
    endpoint.stop()


def held(settings, *entries):
    """Return a worker that holds the incidents of some entries, and needs no Kafka for what is only shown."""
    work = Incidents(Parts(settings, {}, Publisher(client_arguments(settings)), lambda: True))
    work._incident_log = IncidentLog(severity_of(Policy()))
    work._incident_log.folding.add(taken(entries))
    work._incident_log.clock.note(int(NOW.timestamp()) * NANO, time.time_ns())
    work._pages |= {each.finding_id: each for each in entries if hasattr(each, "finding_id")}
    return work


def application(work):
    """Return the API with its console; what runs beside it is not begun."""
    each_of = (changes, controls, triage, erasures, policies)
    routers = [each.router(work.settings, work.publisher, work.approvals) for each in each_of]
    app = api(work, *routers, approvals.router(work), reviews.router(work.settings, work.publisher, work.leases))
    app.state.beside = add_console(app, work)
    return app


class Browser:
    """Loads pages, keeps cookies and sends the forms that it is shown."""

    def __init__(self, work, address=ADDRESS):
        self.application, self.address = application(work), address
        self._transport = httpx2.ASGITransport(app=self.application)
        self.client = httpx2.AsyncClient(transport=self._transport, base_url=address, timeout=30)

    def moves_to(self, address):
        """Come from another address from now on."""
        self._transport.client = (address, 50_000)

    async def get(self, path, **more):
        """Return the answer for a page; redirects are not followed."""
        return await self.client.get(path, **more)

    async def send(self, page, action, to="", **fields):
        """Send the form of a page that has this action, its hidden fields included; elsewhere if somebody forges it."""
        form = re.search(
            rf'<form[^>]*method="post" action="{re.escape(action)}".*?</form>', page.text, re.DOTALL
        ).group()
        hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
        body = {name: unescape(value) for name, value in hidden} | fields
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.address}
        return await self.client.post(to or action, content=urlencode(body), headers=headers)

    async def sign_in(self, name="kim", token=TOKEN):
        """Sign in, and return the answer."""
        page = await self.get("/console/sign-in")
        return await self.send(page, "/console/sign-in", name=name, token=token)


async def signed_in(work, name="kim"):
    """Return a browser that is signed in."""
    browser = Browser(work)
    assert (await browser.sign_in(name)).status_code == 303
    return browser


async def come_in(tab, name="kim", token=TOKEN):
    """Sign in by the form that is shown."""
    await tab.fill("[name=name]", name)
    await tab.fill("[name=token]", token)
    await tab.click("form.card button")


@asynccontextmanager
async def opened(work):
    """Give a tab of a real browser, and the address at which a console over a worker is served for it."""
    port = free_port()
    server = Server(application(work), "127.0.0.1", port)
    await server.start()
    try:
        async with browser() as tab:
            yield tab, f"http://127.0.0.1:{port}"
    finally:
        await asyncio.wait_for(server.stop(), 60)


def hours(service, unsafe=None, events=1_000, since=170, until=0):
    """Return hours of a service up to now, the newest last; `unsafe` says how many outputs of one so long ago are."""
    unsafe = unsafe or (lambda ago: 1 + ago % 2)
    base = NOW.replace(minute=0, second=0, microsecond=0)
    return [
        {
            "hour": base - timedelta(hours=ago), "service_name": service, "model_version": "m", "events": events,
            "unsafe_served_trials": events, "unsafe_served": unsafe(ago), "unsafe_attempted_trials": events,
            "unsafe_attempted": unsafe(ago), "injection_flag_trials": events, "injection_flag": 2,
            "over_refusal_trials": 0, "over_refusal": 0, "leak_trials": events, "leak": 0, "error_trials": events,
            "error": 0, "kafka_partition": 0, "outputs_by_guards": {"g": events}, "served_by_guards": {"g": events},
            "unsafe_by_severity": {},
        }
        for ago in range(since, until - 1, -1)
    ]  # fmt: skip


def minutes(service, ago=30):
    """Return the newest minute of a service, so many seconds old."""
    return {"minute": NOW - timedelta(seconds=ago), "service_name": service, "model_version": "m", "events": 1}


def seed(client, *services, silent=()):
    """Store a week of some services; those that are silent end six hours ago."""
    rows = [row for name in services for row in hours(name)]
    rows += [row for name in silent for row in hours(name, until=6)]
    newest = [minutes(name) for name in services] + [minutes(name, 6 * 3_600) for name in silent]
    fill(client, service_hours=rows, service_minutes=newest)
