"""A policy in words: what is agreed about each service, and what is not agreed yet."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from schemas.kpis import BY_ID
from streams.policy.policy import Policy, Service
from streams.policy.posture import APPETITES


def explained(policy: Policy, day: date) -> Iterator[str]:
    """Yield lines about each service of a policy.

    Parameters
    ----------
    day
        Accepted risks before it have expired.
    """
    for name, service in policy.services.items():
        yield f"{name}: {service.posture.use_case or 'no use case is named'}, {service.tier}, " + (
            f"looked after by {service.owner}" if service.owner else "nobody looks after it"
        )
        yield from (f"  {line}" for line in _service(service, day))
        yield from (f"  to do: {line}" for line in lacking(service, day))


def _service(service: Service, day: date) -> Iterator[str]:
    posture = service.posture
    yield f"appetite {posture.appetite}: {APPETITES[posture.appetite]}"
    yield f"guards on every output: {', '.join(service.required_guards) or 'any'}"
    yield from (f"may go wrong: {each}" for each in posture.acceptable_failures)
    for name, wanted in service.objectives.items():
        kpi = BY_ID[name]
        runbook = f"; runbook {kpi.runbook}" if kpi.runbook else ""
        yield f"wanted: {kpi.title} {'at most' if kpi.better == 'lower' else 'at least'} {wanted:g}{runbook}"
    for one in posture.rollback:
        worse = "above" if BY_ID[one.kpi].better == "lower" else "below"
        yield f"taken back where: {BY_ID[one.kpi].title} is surely {worse} {one.worse_than:g} over {one.hours} h"
    if posture.reviews.labels_per_week:
        yield f"people judge {posture.reviews.labels_per_week} outputs a week"
    for risk in posture.accepted_risks:
        over = " (expired)" if risk.expired(day) else ""
        yield f"accepted until {risk.until}{over} by {risk.by}: {risk.risk}, because {risk.why}"


def lacking(service: Service, day: date) -> Iterator[str]:
    """Yield what is not agreed about a service, or no longer."""
    for there, words in (
        (service.owner, "name its owner"),
        (service.runbook, "give the address of its runbook"),
        (service.required_guards, "name the guards that every output needs"),
        (service.objectives, "say what is wanted of its KPIs"),
        (service.posture.rollback, "say when what is new is taken back"),
    ):
        if not there:
            yield words
    for risk in service.posture.expired(day):
        yield f"the risk {risk.risk!r} was accepted until {risk.until} by {risk.by}: accept it anew, or end it"


def today() -> date:
    """Return the day it is, by UTC."""
    return datetime.now(UTC).date()
