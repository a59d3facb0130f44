"""How long data are kept, by class, as a policy says it; `streams.retention.classes` says what is of which class."""

from typing import Annotated, Final, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, Field, model_validator

from schemas.durations import seconds

Class = Literal["text", "events", "minutes", "incidents", "audit", "dead_letters", "logs", "reports"]
CLASSES: Final[tuple[Class, ...]] = get_args(Class)

DAY: Final = 86_400
SHORTEST_EVENTS: Final = 2 * DAY
"""Sums are made of events, also of those that come late: a day of them that is under way is never touched."""

_ORDER: Final[tuple[tuple[Class, Class], ...]] = (
    ("text", "events"), ("events", "minutes"), ("dead_letters", "minutes"),
)  # fmt: skip


def _days(value: str) -> str:
    """Return a duration of whole days.

    >>> _days("13w")
    '13w'
    """
    if not seconds(value) or seconds(value) % DAY:
        raise ValueError(f"{value} are no whole days; write for example 7d, 13w or 7y")
    return value


Days = Annotated[str, AfterValidator(_days)]


class Retention(BaseModel, extra="forbid", frozen=True):
    """For how long each class of data is kept."""

    text: Days = "7d"
    """Prompts and answers, where a service sends them at all."""
    events: Days = "90d"
    """Calls, steps, retrievals, verdicts, and windows."""
    minutes: Days = "396d"
    """Sums by minute and hour, and what KPIs are made of beside them: labels, evaluations, losses."""
    incidents: Days = "7y"
    """Incidents with actions, evidence and deliveries; findings, changes, controls, triage, erasures."""
    audit: Days = "7y"
    dead_letters: Days = "7d"
    """Refused records as they came, whatever they hold; that there was one is kept as long as minutes."""
    logs: Days = "30d"
    reports: Days = "396d"
    """Files in the folder `reports` of the data folder."""
    holds: list[Annotated[str, Field(min_length=1, max_length=256)]] = []
    """Incidents under a legal hold: they and the events that they cite are kept, whatever their age."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Raise `ValueError` where something would be kept for less time than what is made of it needs."""
        if self.seconds("events") < SHORTEST_EVENTS:
            raise ValueError("events are kept for two days at least, as the sums of a day are made of them")
        for shorter, longer in _ORDER:
            if self.seconds(shorter) > self.seconds(longer):
                raise ValueError(f"{shorter} may not be kept for longer than {longer}")
        return self

    def seconds(self, of: Class) -> int:
        """Return for how long a class is kept."""
        return int(seconds(getattr(self, of)))

    def before(self, of: Class, now: float) -> int:
        """Return from when on a class is kept, in Unix seconds: the start of a day in UTC.

        >>> Retention().before("text", now=1_000_000_000) == (1_000_000_000 - 7 * DAY) // DAY * DAY
        True
        """
        return max(int(now - self.seconds(of)) // DAY * DAY, 0)
