"""``watchkeeper control``: a person asks a service to stop, pause, review or go on, and says why."""

import getpass
import time
import uuid
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from schemas.topics import CONTROLS
from streams.commands.options import Kafka
from streams.settings import SettingsError, load

control_app: Final = typer.Typer(no_args_is_help=True, help="Signed requests to a service or its deployer.")

Service = Annotated[str, typer.Argument(help="The service that is asked.")]
Reason = Annotated[str, typer.Option(help="Why; everybody who gets it reads this.")]
Lasts = Annotated[str, typer.Option("--for", help="For how long, such as 30m or 2h; else until it is resumed.")]
Source = Annotated[str, typer.Option(help="The source, as `data_source_id` of its retrievals names it.")]
Incident = Annotated[str, typer.Option(help="The incident it belongs to.")]
Actor = Annotated[str | None, typer.Option(help="Who asks; the user of this terminal if not said.")]


@control_app.command("kill-switch")
def kill_switch(
    service: Service, reason: Reason, lasts: Lasts = "", incident: Incident = "", actor: Actor = None,
    kafka: Kafka = None,
) -> None:  # fmt: skip
    """Ask a service to stop answering."""
    _ask("kill_switch", service, reason, lasts, incident, actor, kafka)


@control_app.command()
def pause(
    service: Service, reason: Reason, lasts: Lasts = "", incident: Incident = "", actor: Actor = None,
    kafka: Kafka = None,
) -> None:  # fmt: skip
    """Ask the deployer to go no further with what is being rolled out."""
    _ask("pause", service, reason, lasts, incident, actor, kafka)


@control_app.command("review-required")
def review_required(
    service: Service, reason: Reason, lasts: Lasts = "", incident: Incident = "", actor: Actor = None,
    kafka: Kafka = None,
) -> None:  # fmt: skip
    """Ask a service to let a person see its answers before they are given."""
    _ask("review_required", service, reason, lasts, incident, actor, kafka)


@control_app.command()
def resume(service: Service, reason: Reason, incident: Incident = "", actor: Actor = None, kafka: Kafka = None) -> None:
    """Tell a service that all of this is over; where the policy wants two persons for that, ask for another's word."""
    _ask("resume", service, reason, "", incident, actor, kafka)


@control_app.command()
def quarantine(
    service: Service, source: Source, reason: Reason, lasts: Lasts = "", incident: Incident = "", actor: Actor = None,
    kafka: Kafka = None,
) -> None:  # fmt: skip
    """Ask a service to take nothing from a source of documents; what it takes all the same is a page."""
    _ask("quarantine", service, reason, lasts, incident, actor, kafka, source)


@control_app.command()
def release(
    service: Service, source: Source, reason: Reason, incident: Incident = "", actor: Actor = None, kafka: Kafka = None
) -> None:
    """Give a source free again."""
    _ask("release", service, reason, "", incident, actor, kafka, source)


def _ask(
    control: str, service: str, reason: str, lasts: str, incident: str, actor: str | None, kafka: str | None,
    data_source: str = "",
) -> None:  # fmt: skip
    from streams.api.client import call
    from streams.api.controls import Request, asked
    from streams.audit.published import send_all
    from streams.incidents.requests.signing import signed
    from streams.policy.policy import load_policy

    settings, by = load(kafka=kafka), actor or getpass.getuser()
    given = {"service_name": service, "control": control, "reason": reason, "for": lasts, "incident_id": incident,
             "data_source_id": data_source}  # fmt: skip
    try:
        request = Request.model_validate(given | {"actor_id": by})
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise SettingsError("; ".join(problems)) from None
    if control == "resume" and "lift_kill_switch" in load_policy(settings.policy).two_persons:
        made = call(settings, "POST", "/controls", json=given | {"actor_id": by})
        typer.echo(made.get("detail") or made["event_id"])
        return
    asking = asked(request, "watchkeeper/cli", uuid.uuid4().hex, time.time_ns())
    send_all(settings, CONTROLS, [signed(settings, asking)])
    typer.echo(asking.event_id)
