"""Somebody's data erased, by HTTP: the request is written down with a keyed hash of who it is, and never the value."""

import time
import uuid
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from schemas.erasures import Erasure, Subject
from schemas.topics import ERASURES
from streams.access.entry import speaker
from streams.api.approvals import second_person, waits
from streams.api.changes import SOURCE
from streams.erasure.subjects import Keyed
from streams.identifiers.guard import guard_of
from streams.incidents.approvals.approvals import Approvals
from streams.kafka.publisher import Publisher
from streams.kafka.sending import message
from streams.settings import Settings


class Asked(BaseModel):
    """Whose data, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Subject
    value: Annotated[str, Field(min_length=3, max_length=256)]
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]
    actor: Annotated[str, Field(max_length=256)] = ""


def erasure(asked: Asked, keyed: Keyed, now: int) -> Erasure:
    """Return the record of a request, at a time in Unix nanoseconds.

    Raises
    ------
    ValueError
        Where the reason names who is to be erased.
    """
    if asked.value in asked.reason:
        raise ValueError("the reason names who is to be erased, and is kept: say it without")
    return Erasure(
        event_id=uuid.uuid4().hex,
        source=SOURCE,
        time_unix_nano=now,
        service_name="watchkeeper",
        subject=asked.subject,
        subject_hash=keyed.hash(asked.subject, asked.value),
        key_id=keyed.key_id,
        actor_id=asked.actor,
        reason=asked.reason,
    )


def erasures(asked: Asked, settings: Settings, now: int) -> list[Erasure]:
    """Return the records of a request: of the value itself, and of the pseudonyms that may stand for it.

    Raises
    ------
    ValueError
        As `erasure`.
    """
    keyed, guard = Keyed(settings), guard_of(settings)
    named = [asked.value]
    if asked.subject == "user" or guard.value("person", asked.value)[1]:
        named += guard.pseudonyms.every(asked.value)
    return [erasure(asked.model_copy(update={"value": each}), keyed, now) for each in dict.fromkeys(named)]


def router(settings: Settings, publisher: Publisher, approvals: Approvals) -> APIRouter:
    """Return the route ``POST /erasures``: 202 once Kafka holds the request, 422 where it is not possible."""
    routes = APIRouter(tags=["erasures"])

    @routes.post("/erasures", status_code=202)
    async def ask(request: Request, asked: Asked) -> dict[str, str]:
        try:
            spoken = asked.model_copy(update={"actor": speaker(request, asked.actor)})
            made = erasures(spoken, settings, time.time_ns())
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        first = {"subject": made[0].subject, "subject_hash": made[0].subject_hash}
        if waiting := await second_person(approvals, request.state.principal, "erasure", made, asked.reason):
            return waits(waiting) | first
        await publisher.publish([message(settings, ERASURES, each, each.subject_hash) for each in made])
        return {"erasure_id": made[0].event_id} | first

    return routes
