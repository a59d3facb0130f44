"""Which receiver is to be told of which transition, and when: worked out from the log of deliveries alone.

Nothing is remembered elsewhere, so that a restart goes on where the log ends. For each incident and receiver the
order is kept: a transition waits until the one before it was delivered or given up. A failed attempt is repeated
after 1 s, 2 s, 4 s and so on, at most ten minutes apart and for at most a day. What a receiver's quiet hours hold
back is told as one digest when they end, or at once when its incident becomes urgent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.fields import NANO
from schemas.identity import identity
from schemas.incidents import Delivery, IncidentTransition
from streams.policy.receivers import QuietHours, Receiver

GIVES_UP_AFTER: Final = 86_400 * NANO
LONGEST_WAIT: Final = 600 * NANO
URGENT: Final = frozenset({"sev1", "sev2"})
WAITS_MS: Final = "retry_after_ms"
"""Label of a delivery whose receiver asked to be left alone for so long (Retry-After, RFC 9110, 10.2.3)."""


@dataclass(frozen=True, slots=True)
class Due:
    """One request to send: a transition, or several in one digest, to one receiver, not before `at`."""

    receiver: str
    transitions: tuple[IncidentTransition, ...]
    attempt: int
    at: int
    digest: bool = False

    @property
    def delivery_id(self) -> str:
        """The same over all attempts, so that a receiver can tell a repeat."""
        return identity(self.receiver, *(record.event_id for record in self.transitions))


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A transition that a receiver has not been told of; `until` is when its quiet hours end, or None."""

    record: IncidentTransition
    until: int | None
    failed: tuple[Delivery, ...]

    @property
    def at(self) -> int:
        if not self.failed:
            return self.until or 0
        return self.failed[-1].time_unix_nano + backoff(len(self.failed))

    @property
    def digest(self) -> tuple[int, int] | None:
        """What waited through the same quiet hours and was tried at the same time goes together."""
        tried = self.failed[-1].time_unix_nano if self.failed else 0
        return None if self.until is None else (self.until, tried)


def pending(
    transitions: Sequence[IncidentTransition], deliveries: Iterable[Delivery], receivers: Iterable[Receiver], now: int
) -> list[Due]:
    """Return what is to be sent now.

    Parameters
    ----------
    transitions
        Of all incidents, in the order in which they were published; repeats do no harm.
    deliveries
        The log of all attempts, in the order in which they were made.
    receivers
        Of the policy.
    now
        Unix nanoseconds.

    Returns
    -------
    list
        At most one request for each receiver and incident, but for digests.
    """
    return [due for due in plan(transitions, deliveries, receivers, now) if due.at <= now]


def plan(
    transitions: Sequence[IncidentTransition], deliveries: Iterable[Delivery], receivers: Iterable[Receiver], now: int
) -> list[Due]:
    """Return the next request of each receiver and incident, also those whose time has not come.

    They are in the order in which they should be sent: what was never tried first, and of it the gravest.
    """
    attempts: dict[tuple[str, str], list[Delivery]] = {}
    resting: dict[str, int] = {}
    for delivery in deliveries:
        attempts.setdefault((delivery.receiver, delivery.transition_event_id), []).append(delivery)
        resting[delivery.receiver] = max(resting.get(delivery.receiver, 0), rests_until(delivery))
    known = list({record.event_id: record for record in transitions}.values())
    found: list[Due] = []
    for receiver in receivers:
        waiting = _waiting(known, receiver, attempts, now)
        found += _requests(receiver.name, _heads(waiting), resting.get(receiver.name, 0))
    return sorted(found, key=lambda due: (due.at, min(record.severity for record in due.transitions)))


def said_at(record: IncidentTransition) -> int:
    """Return when a transition was published, which may be long after it happened."""
    return record.observed_time_unix_nano or record.time_unix_nano


def backoff(failures: int) -> int:
    """Return the nanoseconds to wait after so many failures: 1 s, doubled each time, up to ten minutes.

    >>> [backoff(n) // NANO for n in (1, 2, 3, 10, 11, 1000)]
    [1, 2, 4, 512, 600, 600]
    """
    return min(NANO << min(failures - 1, 20), LONGEST_WAIT)


def rests_until(delivery: Delivery) -> int:
    """Return until when the receiver of a failed attempt asked to be left alone; 0 where it did not."""
    waits = (delivery.labels or {}).get(WAITS_MS, "")
    return delivery.time_unix_nano + int(waits) * 1_000_000 if waits.isascii() and waits.isdigit() else 0


def expires_at(record: IncidentTransition, receiver: Receiver) -> int:
    """Return when a transition is no longer worth telling: a day after it could first have been told."""
    return (_held_until(record, receiver) or said_at(record)) + GIVES_UP_AFTER


def quiet_until(hours: QuietHours, at: int) -> int | None:
    """Return when the quiet hours around a moment end, in Unix nanoseconds; None outside of them.

    >>> night = QuietHours.model_validate({"from": "22:00", "to": "07:00", "timezone": "UTC"})
    >>> (quiet_until(night, 23 * 3600 * NANO) or 0) // (3600 * NANO), quiet_until(night, 12 * 3600 * NANO)
    (31, None)
    """
    zone = ZoneInfo(hours.timezone)
    local = datetime.fromtimestamp(at // NANO, zone)
    clock, day = local.time(), local.date()
    if hours.start < hours.end:
        if not hours.start <= clock < hours.end:
            return None
    elif clock >= hours.start:
        day += timedelta(days=1)
    elif clock >= hours.end:
        return None
    return int(datetime.combine(day, hours.end, zone).timestamp()) * NANO


def _wanted(record: IncidentTransition, receiver: Receiver) -> bool:
    return record.transition in receiver.transitions and record.severity in receiver.severities


def _held_until(record: IncidentTransition, receiver: Receiver) -> int | None:
    if receiver.quiet_hours is None or record.severity in URGENT:
        return None
    return quiet_until(receiver.quiet_hours, said_at(record))


def _waiting(
    known: Iterable[IncidentTransition], receiver: Receiver, attempts: dict[tuple[str, str], list[Delivery]], now: int
) -> list[_Waiting]:
    """Return what is still to be told: neither told, nor given up, nor too old."""
    wanted = [record for record in known if _wanted(record, receiver)]
    urgent = {record.incident_id for record in wanted if record.severity in URGENT}
    found = []
    for record in wanted:
        log = attempts.get((receiver.name, record.event_id), [])
        settled = any(delivery.status != "failed" for delivery in log)
        if not settled and now < expires_at(record, receiver):
            until = None if record.incident_id in urgent else _held_until(record, receiver)
            found.append(_Waiting(record, until, tuple(log)))
    return found


def _heads(waiting: Iterable[_Waiting]) -> Iterator[_Waiting]:
    """Yield what may be told next of each incident: its first transition, and those of the same digest."""
    by_incident: dict[str, list[_Waiting]] = {}
    for item in waiting:
        by_incident.setdefault(item.record.incident_id, []).append(item)
    for items in by_incident.values():
        yield items[0]
        for item in items[1:]:
            if item.digest is None or item.digest != items[0].digest:
                break
            yield item


def _requests(receiver: str, waiting: Iterable[_Waiting], resting: int) -> Iterator[Due]:
    digests: dict[tuple[int, int], list[_Waiting]] = {}
    for item in waiting:
        if item.digest is None:
            yield Due(receiver, (item.record,), len(item.failed) + 1, max(item.at, resting))
        else:
            digests.setdefault(item.digest, []).append(item)
    for items in digests.values():
        records = tuple(item.record for item in items)
        yield Due(receiver, records, len(items[0].failed) + 1, max(items[0].at, resting), digest=True)
