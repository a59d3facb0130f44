"""What can be done on the page of an incident: actions on the incident, and controls asked of its services."""

import time
import uuid
from typing import Final

from fastapi import HTTPException, status
from msgspec import Struct
from pydantic import ValidationError

from schemas.controls import ControlKind
from schemas.incidents import ActionKind
from streams.access.principals import Principal
from streams.api.approvals import second_person
from streams.api.controls import Request, asked
from streams.api.incidents import ActionBody
from streams.incidents.fold.moves import ALLOWED
from streams.incidents.fold.state import Incident, Step
from streams.incidents.pages.view import IncidentView
from streams.incidents.requests.signing import signed
from streams.incidents.worker import Incidents
from streams.policy.policy import Policy
from streams.review.probes import attacks

SOURCE: Final = "watchkeeper/console"
TURNS: Final = ("acknowledged", "mitigated", "recovered", "reopened", "closed", "merged", "assigned")
"""Steps after which a page that was loaded before does not show what an action would be about."""
FIELDS: Final = ("reason", "mitigation_kind", "into_incident_id", "assignee_id", "about")
OF_DUTIES: Final = ("report", "waive")


class Deed(Struct, frozen=True):
    """An action: its name on the button, its key, and what it will do, in one sentence."""

    kind: ActionKind
    name: str
    key: str
    does: str


DEEDS: Final = (
    Deed("acknowledge", "Acknowledge", "a", "Says that you have it: its clock stops, and nobody else is called."),
    Deed("mitigate", "Mitigated", "m", "Says that the harm was stopped. Recovery is still to be proven by the rates."),
    Deed("assign", "Assign", "s", "Gives it to somebody. Its clock runs on until somebody acknowledges it."),
    Deed("note", "Note", "n", "Writes a note on the timeline. No clock stops."),
    Deed("close", "Resolve", "r", "Closes the incident. A page within a day opens it again."),
    Deed("reopen", "Reopen", "o", "Opens it again: the clocks to recover and to close run on."),
    Deed("merge", "Merge", "g", "Closes it into another incident, which takes over what is not proven back."),
    Deed("false_positive", "False alarm", "f", "Closes it as a false alarm, which counts against the budget of pages."),
    Deed("report", "Reported", "d", "Says that it was reported to whom it had to be. Watchkeeper reports nothing."),
    Deed("waive", "Waive a duty", "w", "Says that a reporting duty does not apply, and why."),
    Deed("correct", "Correct", "c", "Names what keeps it from coming again; verified once that was seen to work."),
)  # fmt: skip


class Order(Struct, frozen=True):
    """A control: its name on the button, what it asks for, whether it may end, and whether it is about a source."""

    control: ControlKind
    name: str
    does: str
    ends: bool = True
    of_source: bool = False


CONTROLS: Final = (
    Order("kill_switch", "Kill switch", "Asks the service to stop answering."),
    Order("pause", "Pause", "Asks the deployer to go no further with what is being rolled out."),
    Order("review_required", "Review required", "Asks the service to let a person see its answers before they go."),
    Order("quarantine", "Quarantine", "Asks the service to take nothing from a source of documents.", of_source=True),
    Order("release", "Release", "Gives that source free again.", ends=False, of_source=True),
    Order("resume", "Resume", "Says that what was asked of the service before is over.", ends=False),
)  # fmt: skip


def possible(incident: Incident) -> list[str]:
    """Return what may be done about an incident now; acknowledging it twice may not."""
    taken = incident.clocks.acknowledged is not None and incident.status in ("acknowledged", "recovered")
    return [kind for kind in ALLOWED[incident.status] if not (taken and kind == "acknowledge")]


def deeds(incident: Incident, view: IncidentView) -> list[Deed]:
    """Return what can be done about an incident on its page; duties can be met where one is left."""
    left = possible(incident)
    open_duty = any(duty.at is None for duty in view.duties)
    return [deed for deed in DEEDS if deed.kind in left and (open_duty or deed.kind not in OF_DUTIES)]


def measures(policy: Policy) -> dict[str, list[tuple[str, str]]]:
    """Return what may keep an incident from coming again, by sort: how an action says it, and its name."""
    known = attacks()
    names = {
        "families of attacks": [("probe", name) for name in sorted({attack.family for attack in known})],
        "rules of the policy": [("rule", rule.name) for rule in policy.controls],
        "attacks": [("probe", attack.attack_id) for attack in known],
    }
    return {sort: [(f"{kind}:{name}", name) for kind, name in found] for sort, found in names.items() if found}


def unsaid(kind: ActionKind, fields: dict[str, str]) -> str:
    """Return what a form should say and does not; empty where nothing lacks."""
    lacks = kind == "waive" and not fields.get("reason", "").strip()
    return "Nothing was done: say why the duty does not apply." if lacks else ""


def turns(incident: Incident) -> list[Step]:
    """Return the steps that changed what can be done about an incident."""
    return [step for step in incident.steps if step.name in TURNS]


def meanwhile(incident: Incident, fields: dict[str, str]) -> list[Step]:
    """Return what happened since the page of a form was loaded; nothing where the form was sent already."""
    if any(step.entry == fields.get("action_id") for step in incident.steps):
        return []
    seen = fields.get("seen", "")
    return turns(incident)[int(seen) :] if seen.isdecimal() else []


def body(fields: dict[str, str], who: str) -> ActionBody:
    """Return what a form says as the body of an action."""
    given = {name: fields[name] for name in FIELDS if fields.get(name)}
    try:
        return ActionBody(actor=who, action_id=fields.get("action_id") or None, **given)  # type: ignore[arg-type]
    except ValueError:
        raise HTTPException(
            status.HTTP_422_UNPROCESSABLE_CONTENT,
            "A reason has at most 2,048 characters, a name 256, and a measure is of the list.",
        ) from None


async def ask_control(
    work: Incidents, incident: Incident, fields: dict[str, str], principal: Principal, who: str
) -> str:
    """Send the control that a form asks for, once, or ask for another person's word, and return what was done in words.

    Raises
    ------
    ValueError
        Where it is not confirmed by the name of the service, or cannot be sent: without a key for example.
    """
    order = next((each for each in CONTROLS if each.control == fields.get("control")), None)
    service = fields.get("service", "")
    if order is None or service not in incident.services:
        raise ValueError("choose one of the controls, and a service of this incident")
    if fields.get("confirm", "").strip() != service:
        raise ValueError(f"to confirm it, write the name of the service: {service}")
    given = {"service_name": service, "control": order.control, "reason": fields.get("reason", "").strip(),
             "for": fields.get("for", "") if order.ends else "", "incident_id": incident.incident_id,
             "data_source_id": fields.get("source", "").strip() if order.of_source else ""}  # fmt: skip
    try:
        request = Request.model_validate(given | {"actor_id": who})
    except ValidationError:
        raise ValueError("say why in 1 to 2,000 characters") from None
    control = asked(request, SOURCE, fields.get("action_id") or uuid.uuid4().hex, time.time_ns())
    if await second_person(work.approvals, principal, "lift_kill_switch", [control], control.reason, SOURCE):
        return f"{order.name} of {service} takes two persons: it waits under Approvals for another to agree."
    await work.publisher.publish([signed(work.settings, control)])
    return f"{order.name} was asked of {service}. Whether it does so is for the service to say."
