"""A policy published: who changed it and why, what differs, and from when on it holds, on the timeline of changes.

The file itself is brought to the workers by whoever runs them. What is sent here is the whole policy, with all that it
extends: nothing is read from the disk for it.
"""

import time
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.changes import Change
from schemas.topics import CHANGES
from streams.access.entry import speaker
from streams.api.approvals import second_person, waits
from streams.api.changes import SOURCE
from streams.incidents.approvals.approvals import Approvals
from streams.kafka.publisher import Publisher
from streams.kafka.sending import message
from streams.policy.policy import Policy
from streams.policy.record import policy_changes
from streams.settings import Settings


class Publication(BaseModel):
    """A policy that is to hold, and the one that held before."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: dict[str, Any]
    before: dict[str, Any]
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]
    effective_from: datetime | None = None
    """From when on it holds; as soon as it is published where nothing is said."""
    actor: Annotated[str, Field(max_length=256)] = ""


def published(said: Publication, who: str, now: int) -> list[Change]:
    """Return the changes that a publication comes to, at a time in Unix nanoseconds; none where nothing differs.

    Raises
    ------
    ValueError
        Where one of the two is no policy, or the time has no zone.
    """
    try:
        before, after = Policy.model_validate(said.before), Policy.model_validate(said.policy)
    except ValidationError as error:
        raise ValueError(f"that is no policy: {error.errors()[0]['msg']}") from None
    found = policy_changes(before, after, who, said.reason, [], None, now)
    if said.effective_from is None:
        return [replace(each, source=SOURCE) for each in found]
    if said.effective_from.tzinfo is None:
        raise ValueError("effective_from needs a zone, for example 2026-03-02T09:00:00+01:00")
    when = said.effective_from.isoformat(timespec="seconds")
    return [replace(each, source=SOURCE, labels={"effective_from": when, **(each.labels or {})}) for each in found]


def router(settings: Settings, publisher: Publisher, approvals: Approvals) -> APIRouter:
    """Return the route ``POST /policies``: 202 once Kafka holds the changes, or the request for another's word."""
    routes = APIRouter(tags=["policies"])

    @routes.post("/policies", status_code=202)
    async def publish(request: Request, said: Publication) -> dict[str, Any]:
        try:
            found = published(said, speaker(request, said.actor), time.time_ns())
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        if not found:
            raise HTTPException(422, "the two say the same: there is nothing to publish")
        if made := await second_person(approvals, request.state.principal, "publish_policy", found, said.reason):
            return waits(made)
        await publisher.publish([message(settings, CHANGES, each, each.service_name) for each in found])
        return {"services": [each.service_name for each in found], "version": found[0].to_version}

    return routes
