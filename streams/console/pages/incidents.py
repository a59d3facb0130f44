"""The list of incidents, with its filters in the address, and the same as a table for a spreadsheet."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from schemas.fields import NANO
from schemas.incidents import IncidentSeverity
from streams.api.seen import incidents_seen
from streams.console.asking import Store, held, stream_now
from streams.console.session import Who, shown
from streams.console.states import is_open, on_it
from streams.incidents.fold.moves import ORDER
from streams.incidents.fold.state import Incident
from streams.incidents.fold.views import summary
from streams.incidents.worker import Incidents
from streams.pages.spread import Spread, Took, late, spread
from streams.text.durations import span

LINES: Final = 50
"""Incidents of a page."""
STATES: Final = ("open", *ORDER)
SEVERITIES: Final[tuple[IncidentSeverity, ...]] = ("sev1", "sev2", "sev3", "sev4")
CLOCKS: Final = ("detect", "acknowledged", "mitigated", "recovered", "closed")
COLUMNS: Final = (
    "incident_id",
    "severity",
    "status",
    "false_positive",
    "service",
    "family",
    "metric",
    "onset",
    "detected",
)

LOOKS_BACK_NANO: Final = 90 * 86_400 * NANO

Rows = list[dict[str, Any]]


class Answered(NamedTuple):
    """How long people took until a clock stood still: how many times, how many of them in time, and as a plot."""

    clock: str
    times: int
    kept: int
    drawn: Spread


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the list in both forms."""
    routes = APIRouter()

    @routes.get("/incidents")
    async def listed(
        request: Request, who: Who, state: str = "open", severity: str = "", service: str = "", owner: str = "",
        page: int = 1,
    ) -> Response:  # fmt: skip
        rows = await _found(work, state, severity, service, owner)
        pages = max(-(-len(rows) // LINES), 1)
        page = min(max(page, 1), pages)
        asked = {"state": state, "severity": severity, "service": service, "owner": owner}
        return shown(
            request, "incidents", rows=rows[(page - 1) * LINES : page * LINES], total=len(rows), page=page, pages=pages,
            asked=asked, address=urlencode(asked), states=STATES, severities=SEVERITIES, clocks=CLOCKS[:-1], span=span,
            took=await _took(work, severity, service, owner),
        )  # fmt: skip

    @routes.get("/incidents.csv")
    async def exported(
        who: Who, state: str = "", severity: str = "", service: str = "", owner: str = ""
    ) -> Response:  # fmt: skip
        text = "".join(_written(await _found(work, state, severity, service, owner)))
        return Response(
            text, media_type="text/csv", headers={"Content-Disposition": 'attachment; filename="incidents.csv"'}
        )

    return routes


async def _found(work: Incidents, state: str, severity: str, service: str, owner: str) -> Rows:
    """Return the incidents that fit, who needs a person first."""
    incident_log = await held(work)
    now = stream_now(incident_log, None)
    return [
        summary(each, now) | {"owner": on_it(each)}
        for each in sorted(incidents_seen(incident_log), key=_urgency)
        if (state in ("", each.status) or (state == "open" and is_open(each))) and _fits(each, severity, service, owner)
    ]


def _fits(incident: Incident, severity: str, service: str, owner: str) -> bool:
    return (
        severity in ("", incident.severity)
        and (not service or any(service.lower() in name.lower() for name in incident.services))
        and (not owner or owner.lower() in on_it(incident).lower())
    )


async def _took(work: Incidents, severity: str, service: str, owner: str) -> list[Answered]:
    """Return how long people took with the incidents that fit, in whatever state they are, as far as they have."""
    incident_log = await held(work)
    since = (stream_now(incident_log, None) or 0) - LOOKS_BACK_NANO
    fitting = [
        each
        for each in incidents_seen(incident_log)
        if _fits(each, severity, service, owner) and each.merged_into is None and each.clocks.detected >= since
    ]
    response = work.policy.response
    within = {"acknowledged": response.acknowledge_within, "mitigated": response.mitigate_within}
    return [made for clock, wanted in within.items() if (made := _answered(clock, wanted, fitting)) is not None]


def _answered(
    clock: str, wanted: Callable[[IncidentSeverity], float | None], incidents: Sequence[Incident]
) -> Answered | None:
    times = [
        Took(each.clocks.detected, seconds, None if (minutes := wanted(each.severity)) is None else minutes * 60)
        for each in incidents
        if (seconds := each.clocks.since_detection(clock)) is not None
    ]
    drawn = spread(times)
    return None if drawn is None else Answered(clock, len(times), sum(not late(each) for each in times), drawn)


def _urgency(incident: Incident) -> tuple[bool, str, bool, int]:
    """Return the place of an incident: what is open and severe and has nobody comes first, then the newest."""
    return not is_open(incident), incident.severity if is_open(incident) else "", bool(on_it(incident)), (
        -incident.clocks.detected
    )  # fmt: skip


def _written(rows: Rows) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, "owner", *(f"seconds_to_{clock}" for clock in CLOCKS), "open_seconds"])
    for row in rows:
        texts = [_cell(row[name]) for name in (*COLUMNS, "owner")]
        writer.writerow([*texts, *(row["seconds_to"][clock] for clock in CLOCKS), row["open_seconds"]])
    yield out.getvalue()


def _cell(value: Any) -> Any:
    """Return a value that no spreadsheet takes for a formula.

    >>> _cell("=1+1"), _cell("shop"), _cell(None)
    ("'=1+1", 'shop', None)
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
