"""Telemetry that the contract accepts and that most likely means something else, told from the events alone.

Each warning says what was seen, and what to do. None changes what is counted: a number can be right and look wrong.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.events import AgentStep, Event, GuardVerdict, Inference, Retrieval
from schemas.guards import GuardFinding, GuardResult

ENOUGH: Final = 20
"""Events of a service before anything is said of it."""

SECONDS_BELOW: Final = 60.0
"""Half of a service's calls that write an answer take longer than so many milliseconds, or the unit is wrong."""

ONE_SESSION: Final = 0.9
"""Share of a service's traces that one session may not hold."""

MOST_LEVELS: Final = 4
"""The highest severity; a service that uses 2 and 4 and neither 1 nor 3 has the scale of another system."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trap:
    """A warning: the service, what kind of trap it is, what was seen, and what to do about it."""

    service: str
    kind: str
    evidence: str
    advice: str


def traps_of(events: Iterable[Event]) -> list[Trap]:
    """Return what looks wrong in some events, service by service.

    Parameters
    ----------
    events
        Events of some hours, of all services; they are read once and held by service.
    """
    by_service: dict[str, list[Event]] = {}
    for event in events:
        by_service.setdefault(event.service_name, []).append(event)
    looks = (_seconds, _one_session, _foreign_severity, _cache_tokens)
    return [
        Trap(service, *found)
        for service, own in sorted(by_service.items())
        if len(own) >= ENOUGH
        for look in looks
        for found in look(own)
    ]


Seen = Iterator[tuple[str, str, str]]


def _seconds(events: Sequence[Event]) -> Seen:
    """Durations that look like seconds: answers of many tokens within a few milliseconds."""
    known = [
        (event.duration_ms, event.usage_output_tokens)
        for event in _of(Inference, events)
        if event.duration_ms is not None and (event.usage_output_tokens or 0) >= ENOUGH
    ]
    if len(known) < ENOUGH:
        return
    middle = sorted(duration for duration, _ in known)[len(known) // 2]
    if middle < SECONDS_BELOW:
        yield (
            "seconds_as_milliseconds",
            f"half of {len(known)} calls that wrote an answer took less than {middle:.3g} ms",
            "multiply by 1000 where the source has seconds: duration_ms is in milliseconds",
        )


def _one_session(events: Sequence[Event]) -> Seen:
    """One session for all traffic: a project's or a service's id where a conversation's belongs."""
    pairs = {(event.session_id or event.conversation_id, event.trace_id) for event in events if event.trace_id}
    named = Counter(session for session, _ in pairs if session)
    if len(pairs) < ENOUGH or not named:
        return
    session, traces = named.most_common(1)[0]
    if traces >= ONE_SESSION * len(pairs):
        yield (
            "one_session",
            f"{traces} of {len(pairs)} traces name the session {session[:64]}",
            "send the id of the conversation; one of the project counts all its users as one",
        )


def _foreign_severity(events: Sequence[Event]) -> Seen:
    """A severity scale that is not ours: 0, 2, 4 (and 6, which is refused) are Azure's safe, low and medium."""
    levels = Counter(finding.severity for _, finding in _findings(events) if finding.severity)
    if sum(levels.values()) >= ENOUGH and set(levels) == {2, MOST_LEVELS}:
        yield (
            "foreign_severity",
            f"severities are 2 ({levels[2]} times) and 4 ({levels[MOST_LEVELS]} times), never 1 or 3",
            "map the scale of the guard to 0 none, 1 low, 2 medium, 3 high, 4 critical; Azure's 2, 4, 6 are 1, 2, 3",
        )


def _cache_tokens(events: Sequence[Event]) -> Seen:
    """Input tokens without those of the cache: there cannot be more of a part than of the whole."""
    cached = [
        event
        for event in _of(Inference, events)
        if (event.usage_cache_read_input_tokens or event.usage_cache_write_input_tokens)
        and event.usage_input_tokens is not None
    ]
    without = [
        event
        for event in cached
        if (event.usage_cache_read_input_tokens or 0) + (event.usage_cache_write_input_tokens or 0)
        > (event.usage_input_tokens or 0)
    ]
    if without:
        yield (
            "cache_tokens_apart",
            f"{len(without)} of {len(cached)} calls with a cache read or wrote more of it than they had input tokens",
            "add the tokens of the cache to usage_input_tokens: it counts all that the model read",
        )


def _of(kind: type[T], events: Iterable[Event]) -> Iterator[T]:
    return (event for event in events if isinstance(event, kind))


def _findings(events: Iterable[Event]) -> Iterator[tuple[GuardResult, GuardFinding]]:
    for event in events:
        if isinstance(event, GuardVerdict):
            results = [event.guard]
        elif isinstance(event, Inference | AgentStep | Retrieval):
            results = event.guards or []
        else:
            results = []
        yield from ((result, finding) for result in results for finding in result.findings or [])
