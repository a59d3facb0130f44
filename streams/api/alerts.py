"""Alerts of Grafana and Alertmanager, told to the incidents they are about.

Both send the same fields (Grafana webhook version "1", Alertmanager version "4"); others are ignored. An alert is an
episode, named by its fingerprint and start (the group key changes with the routing). A repeat of a notice is the same
action, a lost "resolved" leaves nothing open, because nothing waits for it. One that comes goes where the "firing" of
its episode went, even if that incident is over by then: most alerts end after what they are about. What is wrong with
one alert keeps none of the others back, because neither of the two tells of a notice again that was refused.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple, Protocol

import msgspec
from msgspec import Meta, Raw, Struct, field

from schemas.identity import identity
from schemas.incidents import IncidentAction
from schemas.wire import InvalidRecordError, decoder, encode
from streams.incidents.fold.state import Incident

SOURCE: Final = "watchkeeper/alerts"
MOST_ALERTS: Final = 500

_check: Final = decoder(IncidentAction)

Moment = Annotated[datetime, Meta(tz=True)]


class AlertError(ValueError):
    """A body that is no notice of Grafana or Alertmanager; the message says where."""


class Alert(Struct, frozen=True, rename="camel"):
    """One alert of a notice."""

    status: Literal["firing", "resolved"]
    fingerprint: str
    starts_at: Moment
    ends_at: Moment | None = None
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)


class Notice(Struct, frozen=True, rename="camel"):
    """The body of a webhook, its alerts as they came."""

    alerts: list[Raw]
    truncated_alerts: int = 0


def read_notice(body: bytes) -> Notice:
    """Return the notice that a body holds.

    Raises
    ------
    AlertError
        Where it holds none, or too many alerts.
    """
    try:
        notice = msgspec.json.decode(body, type=Notice)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AlertError(f"no notice of Grafana or Alertmanager: {error}") from None
    if len(notice.alerts) > MOST_ALERTS:
        raise AlertError(f"{len(notice.alerts)} alerts in one notice; set max_alerts to at most {MOST_ALERTS}")
    return notice


class Told(NamedTuple):
    """What a notice says to incidents, an action an alert; and why alerts say nothing."""

    said: list[IncidentAction]
    refused: list[str]


class Find(Protocol):
    """Returns the incident that an alert is about; `streams.incidents.fold.reordering.ReorderingFold.about` is one."""

    def __call__(self, incident_id: str, service: str, family: str, told_by: str = "") -> Incident | None: ...


def actions(notice: Notice, find: Find, now: int, at: int | None) -> Told:
    """Return what a notice says to incidents.

    Parameters
    ----------
    find
        Is asked with the action that told of the firing, where an alert is resolved.
    now
        When the notice came, Unix nanoseconds.
    at
        The time of the stream then.
    """
    told = Told([], [])
    for place, raw in enumerate(notice.alerts):
        try:
            action = _action(msgspec.json.decode(raw, type=Alert), find, now, at)
            _check(encode(action), now)
            told.said.append(action)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError, InvalidRecordError) as error:
            told.refused.append(f"alert {place}: {error}")
    return told


def _action(alert: Alert, find: Find, now: int, at: int | None) -> IncidentAction:
    service = alert.labels.get("service") or alert.labels.get("service_name") or "unknown"
    named = alert.labels.get("incident_id", "")
    told_by = _identity(alert, "firing") if alert.status == "resolved" else ""
    incident = find(named, service, alert.labels.get("family", ""), told_by)
    name = alert.labels.get("alertname", "alert")
    return IncidentAction(
        event_id=_identity(alert, alert.status),
        source=SOURCE,
        time_unix_nano=now,
        service_name=(incident.service if incident else service)[:256],
        incident_id=(incident.incident_id if incident else named or f"alert-{alert.fingerprint}")[:256],
        action="notify",
        actor_kind="automation",
        actor_id=name[:256],
        happened_at_unix_nano=at,
        reason=f"{name} {alert.status} since {alert.starts_at.isoformat()}"[:2048],
        alert_fingerprint=alert.fingerprint[:256],
        alert_starts_at=int(alert.starts_at.timestamp() * 1_000) * 1_000_000,
        labels=_labels(alert),
    )


def _identity(alert: Alert, status: str) -> str:
    return identity("alert", alert.fingerprint, alert.starts_at.isoformat(), status)


def _labels(alert: Alert) -> dict[str, str]:
    """Return what the contract has no field for; while an alert fires, its end is a time that nobody should read."""
    if alert.status == "firing" or alert.ends_at is None:
        return {"alert_status": alert.status}
    return {"alert_status": alert.status, "alert_ends_at": alert.ends_at.isoformat()}
