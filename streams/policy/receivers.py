"""The parts of the policy about incidents: who is told of what, and how soon people are to answer."""

from datetime import time
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, field_validator, model_validator

from schemas.incidents import IncidentSeverity, TransitionName
from schemas.kpis.objectives import ACKNOWLEDGE_MINUTES, MITIGATE_MINUTES

Minutes = Annotated[float, Field(gt=0)]
SecretName = Annotated[str, Field(pattern="^([a-z][a-z0-9_]*)?$", max_length=100)]

PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"

PAGERDUTY_ACTIONS: Final[dict[str, str]] = {
    "detected": "trigger",
    "triggered": "trigger",
    "reopened": "trigger",
    "escalated": "trigger",
    "reminded": "trigger",
    "acknowledged": "acknowledge",
    "mitigated": "acknowledge",
    "remediated": "resolve",
    "recovered": "resolve",
    "resolved": "resolve",
    "closed": "resolve",
    "merged": "resolve",
}
"""What a transition is to PagerDuty (Events API v2); the others are nothing to it."""


class QuietHours(BaseModel, extra="forbid", frozen=True):
    """A part of each day in which sev3 and sev4 wait; what waited comes as one digest at its end."""

    start: Annotated[time, Field(alias="from")]
    end: Annotated[time, Field(alias="to")]
    timezone: str

    @field_validator("start", "end", mode="before")
    @classmethod
    def _written_as_text(cls, value: Any) -> Any:
        if isinstance(value, int | float):  # which would be seconds after midnight
            raise ValueError("write hours and minutes, for example 22:00")  # noqa: TRY004 (pydantic wants ValueError)
        return value

    @field_validator("start", "end")
    @classmethod
    def _local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError("a time without an offset; the timezone stands beside it")
        return value

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone is called {value!r}; take a name such as Europe/Berlin or UTC") from None
        return value

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.start == self.end:
            raise ValueError("from and to are the same time")
        return self


class Receiver(BaseModel, extra="forbid", frozen=True):
    """Somebody who is told of the transitions of incidents."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    kind: Literal["slack", "pagerduty", "webhook"]
    url: str = ""
    url_from: SecretName = ""
    """Name of a secret that holds the URL; then only its host is ever shown."""
    secret_from: SecretName = ""
    """Name of the secret that signs the bodies; for PagerDuty the routing key."""
    transitions: list[TransitionName] = [
        "detected", "reopened", "escalated", "reminded", "acknowledged", "mitigated", "recovered", "closed", "merged",
    ]  # fmt: skip
    severities: list[IncidentSeverity] = ["sev1", "sev2", "sev3", "sev4"]
    quiet_hours: QuietHours | None = None

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address that begins with https:// or http:// and names a host")
        if parts.username or parts.password or parts.hostname == "hooks.slack.com":
            raise ValueError("this address is a secret: store it as one, and name it in url_from")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.url and self.url_from:
            raise ValueError("either url or url_from, not both")
        if self.kind == "pagerduty":
            self._for_pagerduty()
        elif not self.url and not self.url_from:
            raise ValueError("a receiver needs url, or url_from with the name of a secret")
        return self

    def _for_pagerduty(self) -> None:
        if not self.secret_from:
            raise ValueError("PagerDuty needs secret_from, the name of the secret that holds the routing key")
        if self.quiet_hours is not None:
            raise ValueError("PagerDuty takes no digest; set the support hours of its service there")
        if unknown := [name for name in self.transitions if name not in PAGERDUTY_ACTIONS]:
            raise ValueError(
                f"PagerDuty knows no {', '.join(unknown)}; it can be told of {', '.join(PAGERDUTY_ACTIONS)}"
            )


class AcknowledgeWithin(BaseModel, extra="forbid", frozen=True):
    """Minutes until somebody must have acknowledged; null where nobody has to."""

    sev1: Minutes | None = ACKNOWLEDGE_MINUTES["sev1"]
    sev2: Minutes | None = ACKNOWLEDGE_MINUTES["sev2"]
    sev3: Minutes | None = ACKNOWLEDGE_MINUTES["sev3"]
    sev4: Minutes | None = None


class MitigateWithin(BaseModel, extra="forbid", frozen=True):
    """Minutes until the harm must have been stopped; null where there is no such limit."""

    sev1: Minutes | None = MITIGATE_MINUTES["sev1"]
    sev2: Minutes | None = MITIGATE_MINUTES["sev2"]
    sev3: Minutes | None = None
    sev4: Minutes | None = None


class ResponseTimes(BaseModel, extra="forbid", frozen=True):
    """How soon people are to answer, how often they are reminded, and when an incident closes by itself."""

    acknowledge_within_minutes: AcknowledgeWithin = AcknowledgeWithin()
    mitigate_within_minutes: MitigateWithin = MitigateWithin()
    remind_every_minutes: Minutes | None = 30
    close_after_quiet_hours: Annotated[float, Field(gt=0)] = 24

    def acknowledge_within(self, severity: IncidentSeverity) -> float | None:
        """Return the minutes until an incident must be acknowledged, or None."""
        return getattr(self.acknowledge_within_minutes, severity)

    def mitigate_within(self, severity: IncidentSeverity) -> float | None:
        """Return the minutes until an incident must be mitigated, or None."""
        return getattr(self.mitigate_within_minutes, severity)


def names_differ(receivers: list[Receiver]) -> list[Receiver]:
    """Raise `ValueError` where two receivers have the same name: deliveries are told apart by it."""
    names = [receiver.name for receiver in receivers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two receivers are called {', '.join(twice)}")
    return receivers
