"""Everything that was said of incidents so far, and what of it is news. It knows no Kafka and no clock of its own.

What was published is part of the state: after a start all logs are read, and only what is missing is published. So
nothing is told twice, whoever told it before.
"""

from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from schemas.incidents import IncidentSeverity, IncidentTransition
from streams.incidents.fold.reordering import ReorderingFold
from streams.incidents.fold.state import FindingSummary, Incident
from streams.incidents.fold.transitions import refused, transition


class StreamClock:
    """The time of the stream: it goes on with the clock between two entries, and never ahead of it.

    A replayed week then has its own time, and nobody is called late because the week is long past.

    Examples
    --------
    >>> clock = StreamClock()
    >>> clock.note(1_000, written_unix_nano=9_000)
    >>> clock.now(9_005), clock.now(9_000)
    (1005, 1000)
    """

    def __init__(self) -> None:
        self._at: int | None = None
        self._written = 0

    def note(self, at_unix_nano: int, written_unix_nano: int) -> None:
        """Take note of an entry: when it happened, and when it was written to the log."""
        if self._at is None or at_unix_nano > self._at:
            self._at, self._written = at_unix_nano, written_unix_nano

    def now(self, wall_unix_nano: int) -> int | None:
        """Return the time of the stream at a time of the clock; None before the first entry."""
        if self._at is None:
            return None
        return min(self._at + max(wall_unix_nano - self._written, 0), wall_unix_nano)


class IncidentLog:
    """The incidents, and which of their transitions have been published.

    Parameters
    ----------
    severity
        As of `streams.incidents.fold.fold.Fold`.
    """

    def __init__(self, severity: Callable[[FindingSummary], IncidentSeverity]) -> None:
        self.folding: Final = ReorderingFold(severity)
        self.clock: Final = StreamClock()
        self._published: dict[str, IncidentTransition] = {}
        self._told: dict[str, Incident] = {}
        self._names: dict[str, set[str]] = {}
        self._refused: set[str] = set()

    def published(self, records: Iterable[IncidentTransition]) -> None:
        """Take note of transitions that are in the log already, in its order."""
        for record in records:
            self._published[record.event_id] = record

    def told(self) -> list[IncidentTransition]:
        """Return what is published, as it holds now."""
        return list(self._published.values())

    def news(self) -> list[IncidentTransition]:
        """Return the transitions that are not published yet, those that came out otherwise, and retractions."""
        first = not self._told
        found: list[IncidentTransition] = []
        gone: set[str] = set()
        for incident_id, incident in self.folding.fold.incidents.items():
            old = self._told.get(incident_id)
            if old is incident:
                continue
            known = len(old.steps) if old is not None and _goes_on_from(old, incident) else 0
            records = [transition(incident, step) for step in incident.steps[known:]]
            names = {record.event_id for record in records}
            if not known:
                gone |= self._names.get(incident_id, set()) - names
                self._names[incident_id] = set()
            self._names[incident_id] |= names
            found += records
        for incident_id in self._told.keys() - self.folding.fold.incidents.keys():
            gone |= self._names.pop(incident_id)
        said = [refused(*item) for item in self.folding.fold.refused.values()]
        gone |= self._refused - {record.event_id for record in said}
        self._refused = {record.event_id for record in said}
        found += said
        self._told = dict(self.folding.fold.incidents)
        return [*self._fresh(found), *self._retracted(gone, found, everything=first)]

    def _fresh(self, found: list[IncidentTransition]) -> list[IncidentTransition]:
        fresh = [record for record in found if self._published.get(record.event_id) != record]
        self.published(fresh)
        return sorted(fresh, key=lambda record: (record.transition_time_unix_nano, record.event_id))

    def _retracted(
        self, gone: set[str], found: list[IncidentTransition], *, everything: bool
    ) -> list[IncidentTransition]:
        """Return retractions of what does not hold any more.

        After a start that is all that was published and does not follow from the entries, as far back as these go.
        """
        kept = {record.event_id for record in found}
        began = self.folding.began
        if everything and began is not None:
            gone |= {
                name
                for name, record in self._published.items()
                if record.transition_time_unix_nano >= began and name not in kept
            }
        held = (self._published[name] for name in gone if name in self._published)
        records = [replace(record, transition="retracted") for record in held if record.transition != "retracted"]
        self.published(records)
        return sorted(records, key=lambda record: record.event_id)


def _goes_on_from(old: Incident, new: Incident) -> bool:
    """Tell whether an incident is what it was with more steps, so that its earlier ones are told already."""
    return new.steps[: len(old.steps)] == old.steps and new.suspected_change == old.suspected_change
