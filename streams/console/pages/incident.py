"""The page of an incident, made for somebody who was woken by it."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Final, get_args

import msgspec
import numpy as np
from fastapi import APIRouter, HTTPException, Request, status
from fastapi.responses import RedirectResponse, Response
from msgspec import Struct
from msgspec.structs import replace

from detectors.intervals import wilson
from schemas.incidents import ActionKind, Mitigation
from schemas.sql import query
from streams.api.incidents import WRITTEN_DOWN, perform
from streams.api.seen import incidents_seen, known, portrayed
from streams.console.asking import Store, held, stream_now
from streams.console.pages.deeds import (
    CONTROLS,
    DEEDS,
    TURNS,
    ask_control,
    body,
    deeds,
    meanwhile,
    measures,
    turns,
    unsaid,
)
from streams.console.session import Form, Who, shown
from streams.console.states import age, given_to, is_open, on_it, what
from streams.incidents.evidence.bundle import Answers, Bundle, Contributor, bundle
from streams.incidents.evidence.questions import Question, questions
from streams.incidents.evidence.spread import words
from streams.incidents.fold.moves import IllegalActionError
from streams.incidents.fold.state import Incident, Step
from streams.incidents.pages.corrections import correction_text, corrections, seen_of
from streams.incidents.pages.duties import duty_text
from streams.incidents.pages.portrait import change, course
from streams.incidents.pages.view import NO_CORRECTION, IncidentView, clocks, lacks_correction, share
from streams.incidents.worker import Incidents
from streams.pages.places import Moment, Rate, rate
from streams.store.ask import ask_running
from streams.text.durations import span
from streams.text.shares import NOT_KNOWN, interval

QUIET: Final = ("joined", "notified", "reminded")
"""Steps that repeat; the timeline counts them."""
SIMILAR: Final = 3
STALE: Final = "Nothing was done: the incident is no longer as your page showed it."
BAD: Final = ("detected", "reopened", "escalated")
GOOD: Final = ("recovered", "closed")

TOLD: Final = query("streams.console", "told")


class Entry(Struct, frozen=True):
    """One line of the timeline; `kind` is `bad`, `good`, or empty."""

    at: int
    text: str
    detail: str = ""
    kind: str = ""


def router(work: Incidents, store: Store) -> APIRouter:
    """Return the page and its actions."""
    routes = APIRouter()

    @routes.get("/incidents/{incident_id}")
    async def page(request: Request, who: Who, incident_id: str) -> Response:
        said = request.session.pop("said", "")
        return await _page(work, store, request, incident_id, said=said)

    @routes.post("/incidents/{incident_id}/control")
    async def control(request: Request, who: Who, fields: Form, incident_id: str) -> Response:
        incident = known(await held(work), incident_id)
        try:
            said = await ask_control(work, incident, fields, request.state.principal, who)
        except ValueError as error:
            return await _page(work, store, request, incident_id, refused=f"Nothing was asked: {error}.")
        request.session["said"] = said
        return _back(request)

    @routes.post("/incidents/{incident_id}/{kind}")
    async def act(request: Request, who: Who, fields: Form, incident_id: str, kind: ActionKind) -> Response:
        name = next((deed.name for deed in DEEDS if deed.kind == kind), None)
        if name is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "That is not done by people.")
        late = meanwhile(known(await held(work), incident_id), fields)
        refused = STALE if late and kind != "note" else unsaid(kind, fields)
        try:
            _, counts = (None, False) if refused else await perform(work, incident_id, kind, body(fields, who))
        except IllegalActionError as error:
            refused = str(error)
        if refused:
            return await _page(work, store, request, incident_id, refused=refused, late=late)
        request.session["said"] = f"{name}: done." if counts else f"{name}: {WRITTEN_DOWN}."
        return _back(request)

    return routes


def _back(request: Request) -> Response:
    return RedirectResponse(str(request.url.path).rpartition("/")[0], status.HTTP_303_SEE_OTHER)


async def _page(
    work: Incidents, store: Store, request: Request, incident_id: str, *, said: str = "", refused: str = "",
    late: Sequence[Step] = (),
) -> Response:  # fmt: skip
    incident_log = await held(work)
    incident = known(incident_log, incident_id)
    view, now = portrayed(work, incident_log, incident), stream_now(incident_log, None)
    baseline = next((each.baseline for each in view.findings if each.baseline is not None), None)
    asked = questions(incident, now)
    found = await store.ask(
        series=lambda: course(store.settings, incident, baseline, now),
        seen=lambda: seen_of(store.settings, incident),
        told=lambda: ask_running(store.settings, TOLD, {"incident": incident_id}),
        **{name: _loader(store, question) for name, question in asked.items()},
    )
    if found["changes"] is not None:
        view = replace(view, changes=[change(row, incident) for row in found["changes"]])
    view = replace(view, corrections=list(corrections(incident, found["seen"] or {})))
    current = _bundle(work, incident, asked, {name: found[name] for name in asked if found[name] is not None})
    opening = msgspec.json.decode(view.evidence, type=Bundle) if view.evidence else None
    return shown(
        request, "incident", status.HTTP_409_CONFLICT if refused else status.HTTP_200_OK, here="incidents", view=view,
        incident=incident, headline=headline(view),
        on_it=on_it(incident), given=given_to(incident), controls=CONTROLS,
        can_ask=bool(work.settings.control_key.get_secret_value()), open=is_open(incident), clocks=clocks(view),
        current=current, opening=opening,
        figures=list(figures(opening, current)), looks=list(looks(current or opening)),
        similar=similar(incident, incidents_seen(incident_log)), timeline=timeline(view, found["told"] or []),
        plot=_plot(view, found["series"] or []), deeds=deeds(incident, view), measures=measures(work.policy),
        mitigations=get_args(Mitigation), said=said,
        refused=refused, late=late, seen=len(turns(incident)), fresh_id=lambda: secrets.token_hex(16), share=share,
        duty_text=duty_text, correction_text=correction_text,
        uncorrected=NO_CORRECTION if lacks_correction(view) else "", interval=interval, span=span, now=now,
        silent=found["told"] is None, age=age(incident, now),
        what=what(incident), spread=(current and current.spread) or view.spread, far=words,
        asked_of=f"/console/incidents/{incident_id}",
    )  # fmt: skip


def _loader(store: Store, question: Question) -> Any:
    return lambda: ask_running(store.settings, question.query, question.parameters)


def _bundle(work: Incidents, incident: Incident, asked: dict[str, Question], rows: Answers) -> Bundle | None:
    """Return what the store says of an incident now, in the form of the evidence of its opening."""
    if "affected" not in rows:
        return None
    return bundle(incident, incident.steps[0], None, asked, rows, work.policy)


def headline(view: IncidentView) -> str:
    """Return what happened as one sentence with its figures, as far as they are known."""
    for found in view.findings:
        if found.rate is not None:
            usual = "" if found.baseline is None else f", normally at most {share(found.baseline)}"
            return f"{found.metric.replace('_', ' ').capitalize()} {share(found.rate)} on {view.service}{usual}"
    for found in view.findings:
        if found.evidence:
            return f"{view.service}: {found.evidence}"
    return f"{view.family.replace('_', ' ').capitalize()} incident on {view.service}"


def figures(opening: Bundle | None, current: Bundle | None) -> Iterator[tuple[str, str, str]]:
    """Yield what is counted of those affected: its name, at the opening, and now."""
    for name, title in (
        ("flagged", "flagged"), ("requests", "of requests"), ("sessions", "sessions"), ("users", "users"),
        ("tenants", "tenants"),
    ):  # fmt: skip
        before, after = (None if each is None else each.affected.get(name) for each in (opening, current))
        if before is not None or after is not None:
            yield title, _count(before), _count(after)
    before_rate, rate_now = _rate(opening), _rate(current)
    if before_rate or rate_now:
        yield "share, 95 % interval", before_rate or NOT_KNOWN, rate_now or NOT_KNOWN


def _count(number: int | None) -> str:
    return NOT_KNOWN if number is None else f"{number:,}"


def _rate(counted: Bundle | None) -> str:
    if counted is None or not counted.affected.get("requests"):
        return ""
    flagged, requests = (np.array([float(counted.affected[name])]) for name in ("flagged", "requests"))
    low, high = wilson(flagged, requests)
    return f"{share(float(flagged[0] / requests[0]))} ({interval(float(low[0]), float(high[0]), share)})"


def looks(counted: Bundle | None) -> Iterator[tuple[str, list[Contributor]]]:
    """Yield the first questions with the names that answer them, the most flagged first."""
    if counted is None:
        return
    for dimension, asked in (
        ("version", "Which version?"), ("category", "Which kind?"), ("tenant", "Which tenant?"),
        ("user", "Which user?"), ("agent", "Which agent?"), ("service", "Which service?"),
    ):  # fmt: skip
        found = [each for each in counted.contributors if each.dimension == dimension]
        if found and (dimension != "service" or len(found) > 1):
            yield asked, found[:3]


def similar(incident: Incident, others: Sequence[Incident]) -> list[Incident]:
    """Return the last incidents of the same service and family before this one."""
    same = [
        each
        for each in others
        if each.key == incident.key
        and each.incident_id != incident.incident_id
        and each.clocks.detected < incident.clocks.detected
    ]
    return sorted(same, key=lambda each: -each.clocks.detected)[:SIMILAR]


def timeline(view: IncidentView, told: Sequence[dict[str, Any]]) -> list[Entry]:
    """Return everything that happened, the newest first; what repeats is counted where it was last."""
    counts = {name: sum(step.transition == name for step in view.steps) for name in QUIET}
    last = {step.transition: step.at for step in view.steps}
    found = []
    for step in view.steps:
        many = counts.get(step.transition, 1)
        if many > 1 and step.at != last[step.transition]:
            continue
        kind = "bad" if step.transition in BAD else "good" if step.transition in GOOD else ""
        text = f"{step.transition} ({many} times)" if many > 1 else step.transition
        found.append(Entry(step.at, text, _joined(step.by, step.reason), kind))
    found += [Entry(each.at, each.what, _joined(each.by, "suspected" * each.suspected)) for each in view.changes]
    if view.clocks.onset is not None:
        found.append(Entry(view.clocks.onset, "began", view.onset_method.replace("_", " "), "bad"))
    for row in told:
        sent = f"{row['name']} was told" if row["result"] == "delivered" else f"{row['name']} could not be told"
        text = sent if row["what"] == "notice" else f"{row['name'].replace('_', ' ')} was asked for"
        found.append(Entry(int(row["at"]), text, _joined(row["by"], row["reason"])))
    return sorted(dict.fromkeys(found), key=lambda each: -each.at)


def _joined(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _plot(view: IncidentView, series: Sequence[Any]) -> Rate | None:
    moments = [Moment(step.at, step.transition, "bad" if step.transition == "detected" else "good")
               for step in view.steps if step.transition in ("detected", *TURNS)]  # fmt: skip
    moments += [Moment(each.at, each.what, "change") for each in view.changes]
    if view.clocks.onset is not None:
        moments.append(Moment(view.clocks.onset, "began"))
    return rate(series[0].points, moments) if series else None
