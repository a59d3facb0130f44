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


def router(settings: Settings, publisher: Publisher, approvals: Approvals) -> APIRouter:
    """Return the route ``POST /erasures``: 202 once Kafka holds the request, 422 where it is not possible."""
    routes = APIRouter(tags=["erasures"])

    @routes.post("/erasures", status_code=202)
    async def ask(request: Request, asked: Asked) -> dict[str, str]:
        try:
            spoken = asked.model_copy(update={"actor": speaker(request, asked.actor)})
            made = erasure(spoken, Keyed(settings), time.time_ns())
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        if waiting := await second_person(approvals, request.state.principal, "erasure", [made], asked.reason):
            return waits(waiting) | {"subject": made.subject, "subject_hash": made.subject_hash}
        await publisher.publish([message(settings, ERASURES, made, made.subject_hash)])
        return {"erasure_id": made.event_id, "subject": made.subject, "subject_hash": made.subject_hash}

    return routes
