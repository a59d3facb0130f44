"""What a policy promises of its services, held against the store: objectives, roll-backs, reviews, accepted risks."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from msgspec import Struct
from rich.table import Table

from schemas.kpis import BY_ID
from streams.kpis.period import Period
from streams.kpis.show import FORMS, period_rows
from streams.policy.policy import Policy
from streams.policy.posture import RequiredReviews, Rollback
from streams.settings import Settings
from streams.store.ask import ask_rows

State = Literal["kept", "broken", "not sure", "not known"]
DAYS: Final = 7
_LABELS: Final = """
SELECT service_name, uniqExact(target_event_id) AS judged FROM labels_known(known_at={until:DateTime('UTC')})
WHERE annotator_kind = 'human' AND said_at >= {since:DateTime('UTC')} AND said_at < {until:DateTime('UTC')}
GROUP BY service_name
"""

Row = dict[str, Any]


class Promise(Struct, frozen=True):
    """One promise of a service: what was promised, what is, and whether the one keeps the other."""

    service: str
    kind: Literal["objective", "rollback", "reviews", "accepted risk"]
    promised: str
    found: str
    state: State


def promises(settings: Settings, policy: Policy, until: datetime) -> list[Promise]:
    """Return what each service that the policy names has promised, and how it stands.

    Parameters
    ----------
    until
        The end of the time that is looked at: seven days for objectives and reviews, their own hours for roll-backs.
    """
    spans = {DAYS * 24, *(one.hours for each in policy.services.values() for one in each.posture.rollback)}
    found = {hours: _rows(settings, until, hours) for hours in spans}
    asked = Period(until - timedelta(days=DAYS), until).parameters()
    judged = {row["service_name"]: int(row["judged"]) for row in ask_rows(settings, _LABELS, asked)}
    return list(_promises(policy, found, judged, until))


def _rows(settings: Settings, until: datetime, hours: int) -> dict[tuple[str, str], Row]:
    since = (until - timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)
    rows = period_rows(settings, Period(since, until))
    return {(row["service_name"], row["kpi"]): row for row in rows if not row["part"]}


def _promises(
    policy: Policy, found: dict[int, dict[tuple[str, str], Row]], judged: dict[str, int], until: datetime
) -> Iterator[Promise]:
    for name, service in policy.services.items():
        for kpi, wanted in service.objectives.items():
            row = found[DAYS * 24].get((name, kpi))
            yield Promise(name, "objective", _limit(kpi, wanted), _value(row), held(row, kpi, wanted))
        for one in service.posture.rollback:
            yield _rollback(name, one, found[one.hours].get((name, one.kpi)))
        yield from _reviews(name, service.posture.reviews, judged.get(name, 0), found[DAYS * 24])
        for risk in service.posture.accepted_risks:
            over = risk.expired(until.date())
            state: State = "broken" if over else "kept"
            told = f"until {risk.until}, by {risk.by}"
            yield Promise(name, "accepted risk", risk.risk, f"{told}: expired" if over else told, state)


def held(row: Row | None, kpi: str, wanted: float) -> State:
    """Tell whether a KPI is what is wanted of it, surely, surely not, or nobody knows.

    >>> row = {"value": 0.02, "lower": 0.01, "upper": 0.03}
    >>> [held(row, "unsafe_served", wanted) for wanted in (0.05, 0.02, 0.005)], held(None, "unsafe_served", 0.1)
    (['kept', 'not sure', 'broken'], 'not known')
    """
    if row is None or row["value"] is None:
        return "not known"
    sign = BY_ID[kpi].sign
    bounds = [float(row["value"] if bound is None else bound) for bound in (row["lower"], row["upper"])]
    worst, best = max(sign * bound for bound in bounds), min(sign * bound for bound in bounds)
    if best > sign * wanted:
        return "broken"
    return "kept" if worst <= sign * wanted else "not sure"


def _rollback(name: str, one: Rollback, row: Row | None) -> Promise:
    state = held(row, one.kpi, one.worse_than)
    words = f"back where {_limit(one.kpi, one.worse_than)} is broken over {one.hours} h"
    return Promise(name, "rollback", words, _value(row), "kept" if state == "not sure" else state)


def _reviews(name: str, wanted: RequiredReviews, judged: int, found: dict[tuple[str, str], Row]) -> Iterator[Promise]:
    if wanted.labels_per_week:
        state: State = "kept" if judged >= wanted.labels_per_week else "broken"
        yield Promise(name, "reviews", f"{wanted.labels_per_week} outputs in 7 days", f"{judged} judged", state)
    if wanted.within_hours is not None:
        row, limit = found.get((name, "review_turnaround")), wanted.within_hours * 3_600
        yield Promise(
            name, "reviews", _limit("review_turnaround", limit), _value(row), held(row, "review_turnaround", limit)
        )


def _limit(kpi: str, wanted: float) -> str:
    known = BY_ID[kpi]
    return f"{known.title} {'≤' if known.better == 'lower' else '≥'} {FORMS[known.unit](wanted)}"


def _value(row: Row | None) -> str:
    if row is None or row["value"] is None:
        return "not known"
    form = FORMS[BY_ID[row["kpi"]].unit]
    bounds = "" if row["lower"] is None or row["upper"] is None else f" ({form(row['lower'])} to {form(row['upper'])})"
    trust = "" if row["trust"] == "trusted" else f"; not trusted: {row['trust_reason']}"
    return f"{form(row['value'])}{bounds}{trust}"


def table(found: Iterable[Promise]) -> Table:
    """Return promises as a table; broken ones stand out."""
    shown = Table(title="what the policy promises", expand=False)
    for name in ("service", "kind", "promised", "found", "state"):
        shown.add_column(name, overflow="fold")
    for each in found:
        cells = (each.service, each.kind, each.promised, each.found, each.state)
        shown.add_row(*cells, style={"broken": "red", "kept": ""}.get(each.state, "yellow"))
    return shown
