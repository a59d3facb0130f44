"""What arrives and what is wrong with it: the view of `watchkeeper status` and `watchkeeper doctor`."""

import asyncio
import re
from typing import Final

from fastapi import APIRouter, HTTPException, Request, status
from fastapi.responses import RedirectResponse, Response

from schemas.sql import query
from schemas.topics import INFERENCE, RAW
from streams.access.teams import seen, sees
from streams.console.asking import Store, held
from streams.console.kept import TELEMETRY, Kept
from streams.console.session import Form, Who, shown
from streams.incidents.worker import Incidents
from streams.intake.status import Row, Status
from streams.kafka.letters import send_again
from streams.kafka.topics import KafkaUnavailableError, TopicError
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.text.durations import span

LINES: Final = 40
"""Lines of a table; what is worst comes first."""
LAGS: Final = query("streams.console", "lags")
HERE: Final = "/console/telemetry"
AGAIN: Final = f"POST {HERE}/letters"
WAIT_SECONDS: Final = 10.0
"""How long the page waits until refused records are sent again; it goes on behind it."""
REASON: Final = re.compile("[a-z_]{1,64}")


def router(work: Incidents, store: Store, kept: Kept) -> APIRouter:
    """Return the page, and the form that sends refused records again."""
    routes, settings, letters = APIRouter(), work.settings, Letters(work.settings)

    @routes.get("/telemetry")
    async def page(request: Request, who: Who, service: str = "") -> Response:
        await held(work)
        known = await kept.known(TELEMETRY)
        status, said = known.answer.found if known.answer else (None, None)
        lags = None if known.silent else (await store.ask(lags=lambda: ask_running(settings, LAGS, {})))["lags"]
        return shown(
            request, "telemetry", service=service, known=known, lags=lags, most=LINES, span=span, again=AGAIN,
            status=status and of_service(status, service), said=letters.outcome if seen() is None else "",
            complaints=said and [each for each in said if _is_shown(each.service, service)],
            refused=letters.possible(status.refused if status and seen() is None else []),
        )  # fmt: skip

    @routes.post("/telemetry/letters")
    async def send(request: Request, who: Who, fields: Form) -> Response:
        await letters.send(fields.get("topic", ""), fields.get("reason", ""), who)
        return RedirectResponse(HERE, status.HTTP_303_SEE_OTHER)

    return routes


def of_service(status: Status, service: str) -> Status:
    """Return what arrived of a service, of all that may be seen where it is empty."""
    every = (status.services, status.refused, status.codes)
    return Status(*([row for row in rows if _is_shown(row["service_name"], service)] for rows in every))


def _is_shown(name: str, service: str) -> bool:
    """Tell whether a service is asked for, and may be seen."""
    return service in ("", name) and sees(name)


class Letters:
    """Refused records that are sent to their topics again, after what refused them was mended; once at a time.

    Parameters
    ----------
    settings
        Of the installation. Records of topics that workers write are left to `watchkeeper dead-letters replay`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        names = (*(topic.name for topic in (INFERENCE, *RAW)), *settings.dialects)
        self._topics: Final = frozenset(map(settings.topic, names))
        self._sending: asyncio.Future[str] | None = None

    def possible(self, refused: list[Row]) -> list[tuple[str, str]]:
        """Return topic and reason of what can be sent again, each pair once."""
        return sorted({(row["origin_topic"], row["why"]) for row in refused if row["origin_topic"] in self._topics})

    @property
    def outcome(self) -> str:
        """What came of it the last time, in words; empty where nothing was sent."""
        if self._sending is None:
            return ""
        return self._sending.result() if self._sending.done() else "Records are being sent; look again in a while."

    async def send(self, topic: str, reason: str, who: str) -> None:
        """Send those of a topic and reason again, and wait a little for what comes of it.

        Raises
        ------
        HTTPException
            422 where there is no such topic or reason, 409 where records are being sent.
        """
        if topic not in self._topics or not REASON.fullmatch(reason):
            raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, "Records of that kind are not sent from here.")
        if self._sending is not None and not self._sending.done():
            raise HTTPException(status.HTTP_409_CONFLICT, "Records are being sent already. Nothing more was done.")
        self._sending = asyncio.ensure_future(asyncio.to_thread(self._send, topic, reason, who))
        await asyncio.wait([self._sending], timeout=WAIT_SECONDS)

    def _send(self, topic: str, reason: str, who: str) -> str:
        what = f"{who} had {reason.replace('_', ' ')} of {topic} sent again"
        try:
            sent = send_again(self._settings, reason, topic)
        except (KafkaUnavailableError, TopicError, RuntimeError) as error:  # of a client of Kafka
            return f"{what}, and not all were: {error}."
        many = f"{sent.records:,} record{'' if sent.records == 1 else 's'}"
        before = f", {sent.before:,} had been sent before" if sent.before else ""
        return f"{what}: {many}{before}. What is refused again is shown anew."
