"""What takes the store long to say, asked in good time: a page shows what it said last, and when that was.

To plan the view of all KPIs takes the engine a second or two, however little is stored, and codes of a day are as
many rows as the day has events. So the process that shows pages asks by itself and keeps each answer as it came:
nothing is computed here. An answer is asked anew every few minutes, and behind a page that shows one older than some
seconds; however many people look, it is asked once at a time. None is shown without the time at which it was read.
"""

import asyncio
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from schemas.fields import NANO
from streams.access.teams import limited, sees
from streams.console import asking
from streams.console.asking import Store, newest, stream_now
from streams.incidents.worker import Incidents
from streams.intake.doctor import Complaint, complaints, look_at_store
from streams.intake.status import Status, status_of
from streams.kpis.period import Period
from streams.kpis.show import Row, period_rows
from streams.settings import Settings
from streams.worker.background import in_background

log: Final = structlog.get_logger()

DAYS: Final = {"1": "a day", "7": "a week", "30": "30 days"}
"""The usual periods, in days up to the newest moment of the stream."""
USUAL: Final = "7"
"""What is shown where nobody says."""
RENEWED_SECONDS: Final = 300.0
"""How often all of them are asked, whether anybody looks or not."""
FRESH_SECONDS: Final = 30.0
"""From which age on an answer is asked anew behind the page that shows it."""
OLDEST_SECONDS: Final = 2 * RENEWED_SECONDS
"""From which age on a page waits for a newer answer, as long as it waits for anything."""
AGAIN_SECONDS: Final = 10.0
"""How soon a worker that does not hold the incidents yet, or a store that is away, is looked at again."""


class Question(Struct, frozen=True):
    """What is asked over so many days up to the newest moment of the stream."""

    days: int
    load: Callable[[Settings, Period], Any]


class Answer(Struct, frozen=True):
    """What the store said over a period, and when, in Unix nanoseconds."""

    period: Period
    read_at: int
    found: Any

    @property
    def age(self) -> float:
        """Seconds since it was read."""
        return (time.time_ns() - self.read_at) / NANO


class Known(Struct, frozen=True):
    """What a page can say: the answer, whether a newer one is being read, and whether the store is silent."""

    answer: Answer | None
    reading: bool
    silent: bool


def kpis(settings: Settings, period: Period) -> dict[str, bytes]:
    """Return the KPIs of all services by service, packed: there may be thousands of services."""
    return {
        str(name): zlib.compress(msgspec.json.encode(list(found)), 1)
        for name, found in groupby(period_rows(settings, period), key=lambda row: row["service_name"])
    }


def rows(known: Known, service: str = "") -> list[Row]:
    """Return the KPIs of a service, of all that may be seen where it is empty, in the order of the registry."""
    found: dict[str, bytes] = known.answer.found if known.answer else {}
    packed = [each for name, each in found.items() if service in ("", name) and sees(name)]
    return [row for each in packed for row in msgspec.json.decode(zlib.decompress(each))]


def telemetry(settings: Settings, period: Period) -> tuple[Status, list[Complaint]]:
    """Return what arrived, and what looks wrong in the last hour."""
    until = period.until + timedelta(seconds=1)  # the newest event counts too
    return status_of(settings, Period(period.since, until)), list(complaints(look_at_store(settings)))


TELEMETRY: Final = "telemetry"
QUESTIONS: Final = {days: Question(int(days), kpis) for days in DAYS} | {TELEMETRY: Question(1, telemetry)}


class Kept:
    """Keeps the answers, and runs beside the worker that holds the incidents.

    Parameters
    ----------
    work
        Says how far the stream has come.
    store
        Is asked.
    """

    def __init__(self, work: Incidents, store: Store) -> None:
        self._work: Final = work
        self._store: Final = store
        self._answers: Final[dict[str, Answer]] = {}
        self._reading: Final[dict[str, asyncio.Task[bool]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to ask: who looks first finds an answer, or one that is on its way."""
        self._task = in_background(self._regularly())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()

    async def known(self, name: str) -> Known:
        """Return what is known of one of the questions.

        What is young enough is there at once; else it is waited for as long as a page waits for the store, if the store
        answers at all.
        """
        silent = await newest(self._store) is None
        found = self._answers.get(name)
        if silent or (found and found.age < FRESH_SECONDS):
            return Known(found, reading=False, silent=silent)
        reading = self._read(name)
        if found is None or found.age > OLDEST_SECONDS:
            await asyncio.wait([reading], timeout=asking.PATIENCE_SECONDS)
        failed = reading.done() and not reading.result()
        return Known(self._answers.get(name), reading=not reading.done(), silent=failed)

    def _read(self, name: str) -> "asyncio.Task[bool]":
        """Return the reading of an answer that is under way; it is begun where there is none."""
        reading = self._reading.get(name)
        if reading is None or reading.done():
            reading = self._reading[name] = asyncio.create_task(self._renew(name))
        return reading

    async def _renew(self, name: str) -> bool:
        """Ask up to now, and tell whether there was an answer."""
        try:
            with limited(None):  # it is for everybody, whoever's page it is read behind
                answer = await self._asked(QUESTIONS[name])
        except Exception as error:  # noqa: BLE001  whatever is wrong, the worker and its other pages go on
            log.warning("what is asked in good time was not read", question=name, error=type(error).__name__)
            return False
        if answer is not None:
            self._answers[name] = answer
        return answer is not None

    async def _asked(self, question: Question) -> Answer | None:
        incident_log, heard = await self._work.incident_log(), await newest(self._store)
        if incident_log is None or heard is None:
            return None
        settings, read_at = self._work.settings, time.time_ns()
        asked = last(stream_now(incident_log, heard), question.days)
        found = await self._store.study(all=lambda: question.load(settings, asked))
        return None if found["all"] is None else Answer(asked, read_at, found["all"])

    async def _regularly(self) -> None:
        while True:
            answered = await self._all()
            await asyncio.sleep(RENEWED_SECONDS if answered else AGAIN_SECONDS)

    async def _all(self) -> bool:
        """Ask one question after another, as others ask too, and tell whether there was an answer to each."""
        for name in QUESTIONS:
            if not await self._read(name):
                return False
        return True


def known_days(said: str) -> str:
    """Return a usual period as it is said, or the one that is shown where it is none."""
    return said if said in DAYS else USUAL


def last(now: int, days: int, service: str = "") -> Period:
    """Return a usual period up to a moment of the stream, in Unix nanoseconds."""
    until = datetime.fromtimestamp(now // NANO, UTC)
    since = until - timedelta(days=days)
    return Period(since.replace(minute=0, second=0, microsecond=0), until, service)
