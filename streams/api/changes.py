"""Changes by HTTP: the JSON of a `Change`, as a pipeline or a deployment tool has it at hand."""

import time
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Body, HTTPException, Request

from schemas.changes import Change
from schemas.topics import CHANGES
from schemas.wire import decoder
from streams.access.teams import require
from streams.api.seen import require_incident
from streams.incidents.approvals.approvals import Approvals
from streams.kafka.publisher import Publisher
from streams.kafka.sending import message
from streams.settings import Settings

SOURCE: Final = "watchkeeper/http"

_decode: Final = decoder(Change)


def checked(fields: Mapping[str, Any], now_unix_nano: int) -> Change:
    """Return the change that some fields describe, its time that of now unless one is given.

    Raises
    ------
    InvalidRecordError
        Where the contract refuses it; the message names the field.

    >>> checked({"event_id": "1", "source": "ci", "service_name": "a", "change_id": "c", "subject_type": "model",
    ...          "subject_name": "m", "action": "promoted"}, 1767225600000000000)
    Traceback (most recent call last):
    ...
    schemas.wire.InvalidRecordError: a model that is promoted needs `to_version`: the version that serves after it
    """
    known = {name: value for name, value in fields.items() if value is not None}
    whole = {"time_unix_nano": now_unix_nano} | known | {"event_type": "ai.safety.change.v1"}
    change = _decode(msgspec.json.encode(whole), now_unix_nano)
    assert isinstance(change, Change)  # noqa: S101
    return change


def router(settings: Settings, publisher: Publisher, approvals: Approvals) -> APIRouter:
    """Return the route ``POST /changes``; who may use it is decided by the application that includes it.

    The body is a `Change`, begun by whoever has the token where that has a name; `event_id`, `change_id`, `source` and
    the time may be left out. A repeat with the same `event_id` is the same change. The answer is 202 once Kafka holds
    it, 422 where the contract refuses it.
    """
    routes = APIRouter()

    @routes.post("/changes", status_code=202)
    async def record(request: Request, body: Annotated[dict[str, Any], Body()]) -> dict[str, str]:
        given = {"event_id": uuid.uuid4().hex, "change_id": uuid.uuid4().hex, "source": SOURCE} | body
        if name := request.state.principal.name:
            given["initiator_id"] = name
        if str(given["source"]).startswith("watchkeeper/") and given["source"] != SOURCE:
            raise HTTPException(422, f"source {given['source']!r} is a part of Watchkeeper; say which tool you are")
        try:
            change = checked(given, time.time_ns())
            require(change.service_name)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        await require_incident(approvals, change.incident_id)
        if change.subject_type == "guard_policy" and approvals.named("publish_policy"):
            raise HTTPException(409, "the policy wants two persons for that: `watchkeeper policy publish`")
        await publisher.publish([message(settings, CHANGES, change, change.service_name)])
        return {"event_id": change.event_id, "change_id": change.change_id}

    return routes
