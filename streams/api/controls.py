"""What a person may ask of a service, by HTTP and from the command line."""

import time
import uuid
from typing import Annotated, Final, Literal

from fastapi import APIRouter, HTTPException
from fastapi import Request as HttpRequest
from pydantic import BaseModel, ConfigDict, Field

from schemas.controls import Control
from schemas.durations import seconds
from schemas.fields import NANO
from schemas.wire import decoder, encode
from streams.access.entry import speaker
from streams.access.teams import require
from streams.api.approvals import second_person, waits
from streams.api.changes import SOURCE
from streams.api.seen import require_incident
from streams.incidents.approvals.approvals import Approvals
from streams.incidents.requests.signing import signed
from streams.kafka.publisher import Publisher
from streams.settings import Settings, SettingsError

_check: Final = decoder(Control)

Text = Annotated[str, Field(min_length=1, max_length=256)]


class Request(BaseModel):
    """A control as a person asks for it. A promotion or a rollback is for the canary gate to ask."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    service_name: Text
    control: Literal["kill_switch", "pause", "review_required", "resume", "quarantine", "release"]
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]
    actor_id: Annotated[str, Field(max_length=256)] = ""
    """Who asks; whoever has the token, where that has a name."""
    lasts: Annotated[str, Field(alias="for")] = ""
    """For how long, such as ``2h``; empty is until it is resumed."""
    incident_id: Annotated[str, Field(max_length=256)] = ""
    data_source_id: Annotated[str, Field(max_length=256)] = ""
    """The source that a quarantine is about, and its release."""


def asked(request: Request, source: str, event_id: str, now_unix_nano: int) -> Control:
    """Return the control that a person asked for.

    Raises
    ------
    ValueError
        Where the duration cannot be read, the service is of others, or the contract would refuse the control that
        comes of it.
    """
    require(request.service_name)
    lasts = seconds(request.lasts) if request.lasts else None
    if lasts == 0:
        raise ValueError("a control for no time asks for nothing; write for example 30m, or leave it out")
    control = Control(
        event_id=event_id,
        source=source,
        time_unix_nano=now_unix_nano,
        service_name=request.service_name,
        control=request.control,
        actor_kind="human",
        actor_id=request.actor_id,
        reason=request.reason,
        incident_id=request.incident_id or None,
        data_source_id=request.data_source_id or None,
        expires_at=now_unix_nano + round(lasts * NANO) if lasts else None,
    )
    _check(encode(control), now_unix_nano)
    return control


def router(settings: Settings, publisher: Publisher, approvals: Approvals) -> APIRouter:
    """Return the route ``POST /controls``; who may use it is decided by the application that includes it.

    The answer is 202 once Kafka holds the signed control, or a request for another person's word; 422 for
    a request that cannot be read, 503 without a key.
    """
    routes = APIRouter()

    @routes.post("/controls", status_code=202)
    async def ask(asking: HttpRequest, request: Request) -> dict[str, str]:
        try:
            spoken = request.model_copy(update={"actor_id": speaker(asking, request.actor_id)})
            control = asked(spoken, SOURCE, uuid.uuid4().hex, time.time_ns())
            outgoing = signed(settings, control)
        except SettingsError as error:
            raise HTTPException(503, str(error)) from None
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        await require_incident(approvals, control.incident_id)
        if made := await second_person(
            approvals, asking.state.principal, "lift_kill_switch", [control], request.reason
        ):
            return waits(made)
        await publisher.publish([outgoing])
        return {"event_id": control.event_id}

    return routes
