"""Canaries as people read them: each metric on both sides with its interval, and what was decided."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from rich.table import Table

from detectors.base import Floats
from detectors.intervals import confidence_sequence, wilson
from schemas.sql import query
from streams.text.shares import interval, tenths

CANARIES_QUERY: Final = query("streams.findings", "canaries")

LOOKS_QUERY: Final = query("streams.findings", "looks")

EVALUATIONS_QUERY: Final = query("streams.findings", "evaluations")

RUNS_QUERY: Final = query("streams.findings", "runs")

REQUESTS_QUERY: Final = query("streams.findings", "requests")

Row = dict[str, Any]


def status_table(canaries: Iterable[Row], looks: Iterable[Row], requests: Iterable[Row], service: str | None) -> Table:
    """Return the canaries of one service, or of all, with what is known of each metric."""
    shown = Table("service", "candidate", "metric", "verdict", "candidate", "stable", "decision", title="Canaries")
    for each in standing(canaries, looks, requests):
        decision = each.decision
        for side in each.sides if service in (None, each.service) else ():
            shown.add_row(each.service, each.candidate, *side, decision)
            decision = ""
    return shown


class Standing(NamedTuple):
    """A canary: what was decided, and of each metric its name, verdict, and the rates of candidate and stable."""

    service: str
    candidate: str
    began: str
    decision: str
    sides: list[tuple[str, str, str, str]]


def standing(canaries: Iterable[Row], looks: Iterable[Row], requests: Iterable[Row]) -> Iterator[Standing]:
    """Yield how each canary stands, from the rows of the three queries."""
    asked = {row["change_id"]: row["asked"] for row in requests}
    by_candidate: dict[tuple[str, str], list[Row]] = {}
    for look in looks:
        by_candidate.setdefault((look["service"], look["candidate"]), []).append(look)
    for canary in canaries:
        about = (canary["service"], canary["candidate"])
        known: list[Row | None] = [*by_candidate.get(about, [])] or [None]
        decision = _decision(canary, asked.get(canary["change_id"]))
        yield Standing(*about, canary["began"], decision, list(map(_sides, known)))


def evaluations_table(runs: Iterable[Row], service: str | None) -> Table:
    """Return what the newest evaluations say of each version, by hazard, else by suite (Wilson, 1927)."""
    shown = Table("service", "version", "hazard or suite", "failed", title="Evaluations")
    for run in runs:
        if service in (None, run["service"]) and (items := int(run["items"])):
            failed = _share(float(run["failed"]), float(items), wilson)
            shown.add_row(run["service"], run["candidate"], run["hazard"], failed)
    return shown


def _sides(look: Row | None) -> tuple[str, str, str, str]:
    if look is None:
        return "", "nothing known yet", "", ""
    candidate = rate_of(float(look["hits"] or 0), float(look["trials"] or 0))
    stable = rate_of(float(look["stable_flagged"]), float(look["stable_trials"]))
    return look["metric"], look["latest_verdict"], candidate, stable


def rate_of(flagged: float, trials: float) -> str:
    """Return a rate with the interval that holds at all looks, or that nothing is known of it.

    >>> rate_of(12, 400)
    '3.0% (0.9% to 7.0%), 12 of 400'
    >>> rate_of(0, 0)
    'no sessions'
    """
    if not trials:
        return "no sessions"
    return _share(flagged, trials, confidence_sequence)


def _share(some: float, of: float, bounds: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> str:
    lower, upper = (float(side[0]) for side in bounds(np.array([some]), np.array([of])))
    return f"{tenths(some / of)} ({interval(lower, upper, tenths)}), {some:.0f} of {of:.0f}"


def _decision(canary: Row, asked: str | None) -> str:
    if canary["result"]:
        request = f"asked to {asked}" if asked else "no control was sent"
        return f"{canary['result']}: {canary['why'].split(';')[0]}; {request}"
    return "stopped" if canary["step"] == "aborted" else f"running since {canary['began']}"
