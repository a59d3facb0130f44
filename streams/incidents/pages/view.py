"""What the page of an incident and the report show: plain data, filled by whoever read it from the store.

What is not known is None or empty, and is shown as not known.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from schemas.fields import NANO
from schemas.incidents import IncidentSeverity
from schemas.runbooks import runbook_of
from streams.incidents.evidence.spread import Spread, words
from streams.incidents.fold.state import OVER
from streams.incidents.pages.corrections import Correction, correction_text
from streams.incidents.pages.duties import DutyView, duty_text
from streams.pages.plots import Point
from streams.text.durations import span
from streams.text.shares import NOT_KNOWN, figures, interval
from streams.text.times import utc

NO_CORRECTION: Final = "none: no probe and no rule is named that keeps it from coming again"


class Series(Struct, frozen=True):
    """The course of one rate."""

    metric: str
    points: list[Point]


class TimelineEntry(Struct, frozen=True):
    """One transition: what it became, when, by whom and why."""

    transition: str
    at: int
    by: str = ""
    reason: str = ""


class FindingView(Struct, frozen=True, kw_only=True):
    """One finding of the incident."""

    at: int
    severity: str
    kind: str
    metric: str
    evidence: str
    rate: float | None = None
    lower: float | None = None
    upper: float | None = None
    baseline: float | None = None
    e_value: float | None = None
    promise: float | None = None
    sql: str = ""


class ChangeView(Struct, frozen=True):
    """One change near the incident."""

    at: int
    what: str
    by: str = ""
    suspected: bool = False


class ClockTimes(Struct, frozen=True, kw_only=True):
    """When an incident came to each state, in Unix nanoseconds; None where it has not."""

    onset: int | None = None
    detected: int | None = None
    acknowledged: int | None = None
    mitigated: int | None = None
    recovered: int | None = None
    closed: int | None = None
    ended: int | None = None
    """When the harm ended, as estimated after the proof, and the bounds of its 95 per cent interval."""
    ended_lower: int | None = None
    ended_upper: int | None = None


class IncidentView(Struct, frozen=True, kw_only=True):
    """One incident, as known at `now` (Unix nanoseconds)."""

    incident_id: str
    service: str
    family: str
    severity: IncidentSeverity
    status: str
    now: int
    clocks: ClockTimes
    onset_method: str = ""
    owner: str = ""
    runbook: str = ""
    false_positive: bool = False
    scripted: bool = False
    """Its people were played by a script."""
    users: int | None = None
    sessions: int | None = None
    tenants: int | None = None
    outputs: int | None = None
    reached_user: bool | None = None
    acknowledge_by: int | None = None
    mitigate_by: int | None = None
    duties: list[DutyView] = []
    corrections: list[Correction] = []
    steps: list[TimelineEntry] = []
    findings: list[FindingView] = []
    changes: list[ChangeView] = []
    series: list[Series] = []
    spread: Spread | None = None
    evidence: str = ""
    """The JSON of an evidence bundle."""
    evidence_missing: list[str] = []


class Clock(Struct, frozen=True):
    """One clock: how long it ran, or has been running; None where it never started or was never stopped."""

    name: str
    seconds: float | None
    running: bool
    late: bool = False


class Fact(Struct, frozen=True):
    """One line that is read first."""

    name: str
    text: str
    href: str = ""


def clocks(view: IncidentView) -> list[Clock]:
    """Return the time to detect from the onset, and to each later state from the detection.

    A state that was passed over (recovered without mitigation) has no time and does not run.
    """
    times, limits = view.clocks, {"acknowledged": view.acknowledge_by, "mitigated": view.mitigate_by}
    begun = times.detected
    detect = (begun - times.onset) / NANO if begun is not None and times.onset is not None else None
    found = [Clock("detected", detect, running=False)]
    names = ("acknowledged", "mitigated", "recovered", "closed")
    for position, name in enumerate(names):
        at, limit = getattr(times, name), limits.get(name)
        passed = any(getattr(times, later) is not None for later in names[position + 1 :])
        running = at is None and not passed and begun is not None and view.status not in OVER
        until = view.now if running else at
        seconds = (until - begun) / NANO if until is not None and begun is not None else None
        found.append(Clock(name, seconds, running, limit is not None and until is not None and until > limit))
    return found


def facts(view: IncidentView) -> Iterator[Fact]:
    """Yield what a tired person must know, in this order."""
    yield Fact("what", headline(view))
    yield Fact("since", _since(view))
    if view.clocks.ended is not None:
        yield Fact("until", _until(view.clocks))
    yield Fact("how sure", _how_sure(view))
    yield Fact("what changed", _changed(view))
    yield Fact("who is affected", _affected(view))
    if view.spread is not None:
        yield Fact("how far", words(view.spread))
    yield Fact("clock", running_clock(view))
    yield from (Fact("duty", duty_text(duty, view.now)) for duty in view.duties)
    yield from (Fact("correction", correction_text(each)) for each in view.corrections)
    if lacks_correction(view):
        yield Fact("correction", NO_CORRECTION)
    usual = "; ".join(filter(None, ("none is agreed for this service", runbook_of(view.family))))
    yield Fact("runbook", view.runbook or usual, view.runbook)
    yield Fact("owner", view.owner or NOT_KNOWN)


def lacks_correction(view: IncidentView) -> bool:
    """Tell whether an incident is over and nothing keeps it from coming again."""
    over = view.status in ("recovered", "closed") and not view.false_positive
    return over and not view.corrections


def headline(view: IncidentView) -> str:
    """Return what happened in a few words."""
    false = " (false alarm)" if view.false_positive else ""
    return f"{view.severity.upper()} {view.family} incident on {view.service}: {view.status}{false}"


def running_clock(view: IncidentView) -> str:
    """Return the first clock that is running, and whether it should have stopped; or that none is."""
    clock = next((clock for clock in clocks(view) if clock.running), None)
    if clock is None:
        return f"none; {view.status}"
    late = ", LATE" if clock.late else ""
    return f"not {clock.name} for {span(clock.seconds)}{late}"


def clock_text(clock: Clock) -> str:
    """Return a clock as a few words."""
    if clock.running:
        return f"running, {span(clock.seconds)}" + (", late" if clock.late else "")
    return ("never" if clock.seconds is None else span(clock.seconds)) + (", late" if clock.late else "")


def share(value: float | None) -> str:
    """Return a share as a percentage of three figures.

    >>> share(0.03127), share(None), share(0)
    ('3.13 %', 'not known', '0 %')
    """
    return NOT_KNOWN if value is None else f"{figures(value * 100, 3)} %"


def _since(view: IncidentView) -> str:
    times = view.clocks
    onset = NOT_KNOWN if times.onset is None else f"{utc(times.onset)} ({span((view.now - times.onset) / NANO)} ago)"
    method = f", {view.onset_method.replace('_', ' ')}" if view.onset_method and times.onset is not None else ""
    return f"{onset}{method}; detected {NOT_KNOWN if times.detected is None else utc(times.detected)}"


def _until(times: ClockTimes) -> str:
    between = "" if times.ended_lower is None or times.ended_upper is None else (
        f" (95 % interval {utc(times.ended_lower)} to {utc(times.ended_upper)})"
    )  # fmt: skip
    proof = "" if times.recovered is None else f"; proven over {utc(times.recovered)}"
    return f"{NOT_KNOWN if times.ended is None else utc(times.ended)}, estimated{between}{proof}"


def _how_sure(view: IncidentView) -> str:
    finding = next((one for one in view.findings if one.severity == "page"), None)
    if finding is None:
        return NOT_KNOWN
    said = []
    if finding.rate is not None:
        said.append(
            f"{finding.metric} {share(finding.rate)} (95 % interval {interval(finding.lower, finding.upper, share)}), "
            f"normal is at most {share(finding.baseline)}"
        )
    if finding.e_value is not None and finding.promise is not None:
        said.append(f"evidence {finding.e_value:.3g}, needed {finding.promise:.3g}")
    return "; ".join(said) or finding.evidence


def _changed(view: IncidentView) -> str:
    suspected = [change for change in view.changes if change.suspected]
    if suspected:
        return "; ".join(f"{change.what} at {utc(change.at)} (suspected)" for change in suspected)
    return f"{len(view.changes)} changes near it, none suspected" if view.changes else "no change is on record"


def _affected(view: IncidentView) -> str:
    counts = {"users": view.users, "sessions": view.sessions, "tenants": view.tenants, "outputs": view.outputs}
    known = [f"{count} {name}" for name, count in counts.items() if count is not None]
    reached: dict[bool | None, str] = {
        True: "reached users",
        False: "reached no user",
        None: "whether it reached users is not known",
    }
    return ", ".join([*known, reached[view.reached_user]])
