"""The fold for entries that come in any order, late and repeated: it goes back and takes them in where they belong."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from typing import Final

from schemas.incidents import IncidentAction, IncidentSeverity
from streams.incidents.fold.fold import Fold
from streams.incidents.fold.moves import IllegalActionError, UnknownIncidentError, refusal
from streams.incidents.fold.state import Entry, FindingSummary, Incident, happened

EVERY: Final = 500
"""Entries between two remembered states."""

MOST_REMEMBERED: Final = 24

Place = tuple[int, int, str]


class ReorderingFold:
    """All incidents of everything that was said so far, whatever the order in which it came.

    Parameters
    ----------
    severity
        As of `Fold`.
    """

    def __init__(self, severity: Callable[[FindingSummary], IncidentSeverity]) -> None:
        self._entries: list[tuple[Place, Entry]] = []
        self._known: dict[tuple[int, str], Entry] = {}
        self._remembered: list[tuple[int, Fold]] = [(0, Fold(severity))]
        self._fold = Fold(severity)

    @property
    def fold(self) -> Fold:
        """The fold over all entries."""
        return self._fold

    @property
    def began(self) -> int | None:
        """When the first entry happened."""
        return self._entries[0][0][0] if self._entries else None

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries; one that is known already changes nothing."""
        first: Place | None = None
        last = self._entries[-1][0] if self._entries else None
        fresh = []
        for entry in entries:
            place = happened(entry)
            if (place[1], place[2]) in self._known:
                continue
            self._known[place[1], place[2]] = entry
            fresh.append((place, entry))
            first = place if first is None else min(first, place)
        if first is None:
            return
        start = len(self._entries)
        if last is not None and first < last:
            start = self._go_back(first)
            for item in fresh:
                insort(self._entries, item, key=_place)
        else:
            self._entries += sorted(fresh, key=_place)
        for position in range(start, len(self._entries)):
            if position - self._remembered[-1][0] >= EVERY:
                self._remember(position)
            self._fold.take(self._entries[position][1])

    def incidents(self) -> list[Incident]:
        """Return all incidents, in the order of their detection."""
        return sorted(self._fold.incidents.values(), key=lambda each: (each.clocks.detected, each.incident_id))

    def knows(self, entry: Entry) -> bool:
        """Tell whether an entry was taken already."""
        return self.earlier(entry) is not None

    def earlier(self, entry: Entry) -> Entry | None:
        """Return the entry that was taken under the id of another; None where none was."""
        _, kind, name = happened(entry)
        return self._known.get((kind, name))

    def about(self, incident_id: str, service: str, family: str, told_by: str = "") -> Incident | None:
        """Return the incident told by a notification, or of an id, else the one open for a service and family."""
        fold = self._fold
        named = fold.incidents.get(fold.told.get(told_by, "")) or fold.incidents.get(incident_id)
        found = named or fold.incidents.get(fold.current.get((service, family), ""))
        return found if found is not None and (found is named or found.ended is None) else None

    def check(self, action: IncidentAction) -> None:
        """Raise where an action would be refused now.

        Raises
        ------
        UnknownIncidentError
            Where there is no such incident.
        IllegalActionError
            Where its state does not allow it; the message names what it does allow.
        """
        incident = self._fold.incidents.get(action.incident_id)
        if incident is None:
            raise UnknownIncidentError(f"no incident is called {action.incident_id}")
        why = refusal(incident, action, happened(action)[0])
        if why is not None:
            raise IllegalActionError(why)
        if action.action == "merge" and action.into_incident_id not in self._fold.incidents:
            raise UnknownIncidentError(f"no incident is called {action.into_incident_id}")

    def _go_back(self, place: Place) -> int:
        """Return to the last remembered state before a place, and tell after how many entries that was."""
        count = bisect_left(self._entries, place, key=_place)
        while self._remembered[-1][0] > count:
            self._remembered.pop()
        position, fold = self._remembered[-1]
        self._fold = fold.copy()
        return position

    def _remember(self, position: int) -> None:
        self._remembered.append((position, self._fold.copy()))
        if len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[1:-1:2]  # the older the sparser; the empty one stays, so that nothing is too late


def _place(item: tuple[Place, Entry]) -> Place:
    return item[0]
