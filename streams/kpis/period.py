"""The period that KPIs are asked for, and a hint where nothing is stored of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.durations import seconds
from schemas.kpis.objectives import SERVICE_OBJECTIVE
from streams.settings import Settings
from streams.store.ask import Parameters, ask_rows
from streams.text.times import second

_STORED: Final = """
SELECT
    countIf(hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}) AS asked,
    formatDateTime(min(hour), '%FT%H:%i') AS first, formatDateTime(max(hour) + INTERVAL 1 HOUR, '%FT%H:%i') AS last,
    count() AS hours
FROM service_hours
WHERE {service:String} = '' OR service_name = {service:String}
"""


@dataclass(frozen=True, slots=True)
class Period:
    """What is asked for: from when to when, and of which service; all of them where it is empty.

    `until` is also the moment as of which labels are known.
    """

    since: datetime
    until: datetime
    service: str = ""

    def parameters(self) -> Parameters:
        """Return the parameters of a query over the period."""
        since, until = map(second, (self.since, self.until))
        step = int((self.until - self.since).total_seconds()) + 1
        return {
            "since": since, "until": until, "step": str(step), "objective": str(SERVICE_OBJECTIVE),
            "service": self.service,
        }  # fmt: skip

    def __str__(self) -> str:
        """Return it for people."""
        return f"from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"


def begin(text: str, end: datetime, option: str = "--since") -> datetime:
    """Return the full hour at which a period begins.

    Parameters
    ----------
    text
        A span back from `end` (``36h``, ``7d``, ``2w``) or a time in ISO 8601, UTC unless it says otherwise.
    option
        What the user calls it.

    Raises
    ------
    ValueError
        Where it is neither, or not before the end.

    >>> begin("7d", datetime(2026, 3, 9, 12, 30, tzinfo=UTC)).isoformat()
    '2026-03-02T12:00:00+00:00'
    """
    started = moment(text, end, option)
    if started >= end:
        raise ValueError(f"{option} {text} is not before {end:%Y-%m-%dT%H:%M}, when the period ends")
    return started.replace(minute=0, second=0, microsecond=0)


def moment(text: str, now: datetime, option: str) -> datetime:
    """Return a time that is written as a span back from `now` or in ISO 8601; errors as of `begin`."""
    try:
        return _time(text) or now - timedelta(seconds=seconds(text))
    except (ValueError, OverflowError):
        raise ValueError(
            f"{option} is a span like 36h or 7d, or a time like 2026-03-02T08:00, not {text!r}"
        ) from None  # fmt: skip


def _time(text: str) -> datetime | None:
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    return given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)


def period(since: str, until: str, service: str = "", options: tuple[str, str] = ("--since", "--until")) -> Period:
    """Return the period between two times that a user gave; `until` is now where it is empty; errors as of `begin`."""
    now = datetime.now(UTC).replace(microsecond=0)
    end = moment(until, now, options[1]) if until else now
    return Period(begin(since, end, options[0]), end, service)


def nothing_stored(settings: Settings, asked: Period) -> str:
    """Return what to ask for instead where no event of the period is stored; empty where one is."""
    [found] = ask_rows(settings, _STORED, asked.parameters())
    if int(found["asked"]):
        return ""
    of = f" of {asked.service}" if asked.service else ""
    if not int(found["hours"]):
        return f"the store holds no events{of} at all"
    return f"the store holds no events{of} {asked}; those it holds are from {found['first']} to {found['last']} UTC"
