"""Versions that nobody had announced: version findings held against the timeline of changes.

A version is announced by a change of its service to it, from a day before its first event to the grace of the policy
after. A change of a prompt or of an index may name the version alone, of which the events say ``name@version``.
Findings and changes may come in any order; what counts is when they say that they happened. A version is judged once
its grace is over, so whoever asks should have taken by then what was said until then.
"""

from bisect import bisect_left
from typing import Final, NamedTuple, TypeVar

from schemas.changes import Change
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.windows import AT
from streams.findings.finding import finding
from streams.policy.controls import Changes

BEFORE_NANO: Final = 86_400 * NANO
"""How long before the first event a change may have been recorded."""

MOST: Final = 10_000
"""Changes, and versions that wait, that are kept: the newest."""

MODEL_VERSION: Final = "model_version"

NO_ANNOUNCEMENT: Final = frozenset({"rejected", "aborted", "expired"})
"""Actions after which a version does not serve."""


class Said(NamedTuple):
    """When a change to a version of a service was said to happen."""

    at: int
    service: str
    version: str
    subject: str


class Waiting(NamedTuple):
    """A version that is not judged yet."""

    onset: int
    service: str
    version: str
    finding_id: str
    metric: str


_Item = TypeVar("_Item", Said, Waiting)


class Announcements:
    """What was announced, and which new versions wait to be judged.

    Parameters
    ----------
    changes
        `streams.policy.policy.Policy.changes`.
    """

    def __init__(self, changes: Changes) -> None:
        self._off: Final = changes.level == "off"
        self._minutes: Final = changes.announce_within_minutes
        self._grace: Final = round(changes.announce_within_minutes * 60) * NANO
        self._said: list[Said] = []
        self._waiting: list[Waiting] = []

    def take(self, record: Finding | Change) -> None:
        """Take a finding or a change; those that are about something else, and repeats, change nothing."""
        if self._off:
            return
        if isinstance(record, Change):
            if record.to_version and record.action not in NO_ANNOUNCEMENT:
                said = record.service_name, record.to_version, record.subject_type
                _add(self._said, Said(record.time_unix_nano, *said))
        elif record.kind == "version" and (version := version_of(record)):
            onset = record.onset_time_unix_nano or record.detected_time_unix_nano
            metric = MODEL_VERSION if record.model_version else record.metric
            _add(self._waiting, Waiting(onset, record.service_name, version, record.finding_id, metric))

    def due(self, now_unix_nano: int) -> list[Finding]:
        """Return the findings of versions whose grace is over and that nobody announced; each version once.

        A version that is taken again is judged again, and its finding has the same identity.
        """
        over = bisect_left(self._waiting, (now_unix_nano - self._grace,))
        judged, self._waiting = self._waiting[:over], self._waiting[over:]
        return [self._finding(each) for each in judged if not self._is_announced(each)]

    def _is_announced(self, new: Waiting) -> bool:
        first = bisect_left(self._said, (new.onset - BEFORE_NANO,))
        last = bisect_left(self._said, (new.onset + self._grace + 1,))
        return any(said.service == new.service and _names(said, new) for said in self._said[first:last])

    def _finding(self, new: Waiting) -> Finding:
        return finding(
            ("unannounced_change", new.finding_id),
            new.onset + self._grace,
            kind="unannounced_change",
            severity="ticket",
            service_name=new.service,
            model_version=new.version if new.metric == MODEL_VERSION else None,
            metric=new.metric,
            versions=None if new.metric == MODEL_VERSION else [new.version],
            family="change",
            onset_time_unix_nano=new.onset,
            detector="announcements",
            opened_finding_id=new.finding_id,
            evidence=f"{new.service} serves {_kind(new)} {new.version}, and no change to it was recorded from a day "
            f"before its first event to {self._minutes:g} minutes after; `watchkeeper change record` says what it was",
        )


def version_of(found: Finding) -> str | None:
    """Return the version that a version finding is about; of a prompt or an index it is the first that it names."""
    return found.model_version or next(iter(found.versions or ()), None)


def _names(said: Said, new: Waiting) -> bool:
    own = new.version.rpartition(AT)[2]
    return said.version == new.version or (said.version == own and new.metric == f"{said.subject}_version")


def _kind(new: Waiting) -> str:
    return "version" if new.metric == MODEL_VERSION else new.metric.replace("_", " ")


def _add(kept: list[_Item], item: _Item) -> None:
    """Take an item in its place, unless it is known; the oldest of too many goes."""
    at = bisect_left(kept, item)
    if kept[at : at + 1] != [item]:
        kept.insert(at, item)
        del kept[:-MOST]
