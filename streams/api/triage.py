"""What people make of tickets, by HTTP: one word about many of them, or tickets of a metric muted for a while."""

import time
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from schemas.durations import seconds
from schemas.fields import NANO
from schemas.topics import TRIAGE
from schemas.triage import Decision, Triage
from schemas.wire import decoder, encode
from streams.access.entry import speaker
from streams.access.teams import require
from streams.api.approvals import second_person, waits
from streams.api.changes import SOURCE
from streams.incidents.approvals.approvals import Approvals
from streams.kafka.publisher import Publisher
from streams.kafka.sending import message
from streams.settings import Settings

MOST: Final = 500
"""Tickets that one word may be about."""
LONGEST_SECONDS: Final = 30 * 86_400
"""How long tickets may be muted; who wants it longer changes the policy."""

_check: Final = decoder(Triage)

Text = Annotated[str, Field(min_length=1, max_length=256)]


class Ticket(BaseModel):
    """A ticket by its finding and its service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    finding_id: Text
    service_name: Text


class Said(BaseModel):
    """What somebody says: of `tickets`, or to mute and unmute those of `metric` of `service_name`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Decision
    actor: Annotated[str, Field(max_length=256)] = ""
    tickets: Annotated[list[Ticket], Field(max_length=MOST)] = []
    service_name: Annotated[str, Field(max_length=256)] = ""
    metric: Annotated[str, Field(max_length=256)] = ""
    lasts: Annotated[str, Field(alias="for")] = ""
    reason: Annotated[str, Field(max_length=2_000)] = ""


def records(said: Said, source: str, wall: int, now: int) -> list[Triage]:
    """Return what was said as records, one a ticket.

    Parameters
    ----------
    wall, now
        When it was said, and the time of the stream then, from which a mute is counted; Unix nanoseconds.

    Raises
    ------
    ValueError
        Where the duration cannot be read or is too long, a service is of others, or the contract refuses what comes
        of it.
    """
    lasts = seconds(said.lasts) if said.lasts else 0
    if lasts > LONGEST_SECONDS:
        raise ValueError("tickets are muted for at most 30d; for longer, set the level of their metric in the policy")
    about: Sequence[Ticket | None] = [None] if said.decision in ("mute", "unmute") else said.tickets
    if not about:
        raise ValueError("say which tickets: none is chosen")
    found = [
        Triage(
            event_id=uuid.uuid4().hex,
            source=source,
            time_unix_nano=wall,
            service_name=ticket.service_name if ticket else said.service_name,
            decision=said.decision,
            actor_kind="human",
            actor_id=said.actor,
            finding_id=ticket.finding_id if ticket else None,
            metric=None if ticket else said.metric or None,
            reason=said.reason or None,
            expires_at=now + round(lasts * NANO) if lasts and said.decision == "mute" else None,
        )
        for ticket in about
    ]
    require(*(each.service_name for each in found))
    for each in found:
        _check(encode(each), wall)
    return found


async def publish(settings: Settings, publisher: Publisher, said: Sequence[Triage]) -> None:
    """Write down what was said."""
    await publisher.publish([message(settings, TRIAGE, each, each.service_name) for each in said])


def router(settings: Settings, publisher: Publisher, approvals: Approvals) -> APIRouter:
    """Return the route ``POST /triage``: 202 once Kafka holds what was said, 422 where it is not possible."""
    routes = APIRouter(tags=["triage"])

    @routes.post("/triage", status_code=202)
    async def say(request: Request, said: Said) -> dict[str, Any]:
        wall = time.time_ns()
        try:
            spoken = said.model_copy(update={"actor": speaker(request, said.actor)})
            found = records(spoken, SOURCE, wall, wall)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        if made := await second_person(approvals, request.state.principal, "mute_severe", found, said.reason):
            return waits(made)
        await publish(settings, publisher, found)
        return {"said": len(found)}

    return routes
