"""The commands ``watchkeeper incident …``: thin, over the HTTP API."""

import getpass
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from schemas.fields import NANO
from streams.api.client import call, fetch
from streams.settings import load

incident_app: Final = typer.Typer(no_args_is_help=True, help="Incidents: look at them, and say what is done.")

Id = Annotated[str, typer.Argument(help="As `watchkeeper incident list` shows it.")]
Why = Annotated[str | None, typer.Option("--reason", help="Kept with the action.")]
Who = Annotated[str | None, typer.Option("--actor", help="Who did it; you, when empty.")]
When = Annotated[datetime | None, typer.Option("--at", help="When it was done, UTC; now, when empty.")]


@incident_app.command("list")
def listed(
    state: Annotated[str, typer.Option(help="all, open, or one state.")] = "all",
    service: Annotated[str | None, typer.Option(help="Only those that touch this service.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002
) -> None:
    """List incidents, with their clocks."""
    from streams.incidents.pages.tables import incident_table
    from streams.text.terminal import console

    query = {"state": state} | ({"service": service} if service else {})
    found = call(load(), "GET", "/incidents", params=query)["incidents"]
    if as_json:
        typer.echo("\n".join(map(json.dumps, found)))
    else:
        console().print(incident_table(found))


@incident_app.command()
def show(
    incident_id: Id,
    html: Annotated[Path | None, typer.Option(help="Write the page of the incident to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,  # noqa: FBT002
) -> None:
    """Show what is known of an incident: what, since when, how sure, what changed, who is affected."""
    settings = load()
    if html is not None:
        html.write_bytes(fetch(settings, "GET", f"/incidents/{incident_id}/page"))
        typer.echo(f"wrote {html}")
    elif as_json:
        typer.echo(fetch(settings, "GET", f"/incidents/{incident_id}").decode())
    else:
        import msgspec

        from streams.incidents.pages.page import table
        from streams.incidents.pages.view import IncidentView
        from streams.text.terminal import console

        known = fetch(settings, "GET", f"/incidents/{incident_id}/view")
        console().print(table(msgspec.json.decode(known, type=IncidentView)))


def _do(incident_id: str, action: str, actor: str | None, reason: str | None, at: datetime | None, **more: Any) -> None:
    body = {"actor": actor or getpass.getuser(), "reason": reason, **more}
    if at is not None:
        body["happened_at_unix_nano"] = int(at.replace(tzinfo=at.tzinfo or UTC).timestamp() * NANO)
    said = {name: value for name, value in body.items() if value is not None}
    now = call(load(), "POST", f"/incidents/{incident_id}/{action}", json=said)
    typer.echo(now["detail"] if "detail" in now else f"{now['incident_id']} is {now['status']}")


@incident_app.command()
def ack(incident_id: Id, reason: Why = None, actor: Who = None, at: When = None) -> None:
    """Say that somebody has it in hand."""
    _do(incident_id, "acknowledge", actor, reason, at)


@incident_app.command()
def mitigate(
    incident_id: Id,
    kind: Annotated[str, typer.Option(help="rollback, policy_tightened, feature_disabled, kill_switch, …")] = "none",
    reason: Why = None,
    actor: Who = None,
    at: When = None,
) -> None:
    """Say that the harm was stopped, and how. Whether it was is for the rates to prove."""
    _do(incident_id, "mitigate", actor, reason, at, mitigation_kind=kind)


@incident_app.command()
def resolve(incident_id: Id, reason: Why = None, actor: Who = None, at: When = None) -> None:
    """Close an incident."""
    _do(incident_id, "close", actor, reason, at)


@incident_app.command()
def reopen(incident_id: Id, reason: Why = None, actor: Who = None, at: When = None) -> None:
    """Open a closed or recovered incident again; its clocks run on."""
    _do(incident_id, "reopen", actor, reason, at)


@incident_app.command("false-positive")
def false_positive(incident_id: Id, reason: Why = None, actor: Who = None, at: When = None) -> None:
    """Close an incident that was none; it counts against the budget of false alarms."""
    _do(incident_id, "false_positive", actor, reason, at)


@incident_app.command()
def note(incident_id: Id, text: Annotated[str, typer.Argument(help="What to remember.")], actor: Who = None) -> None:
    """Write something down."""
    _do(incident_id, "note", actor, text, None)


@incident_app.command()
def report(
    incident_id: Id,
    duty: Annotated[str, typer.Option(help="The reporting duty, by its name in the policy.")],
    reason: Why = None,
    actor: Who = None,
    at: When = None,
) -> None:
    """Say that an incident was reported to whom it had to be. Watchkeeper itself reports nothing."""
    _do(incident_id, "report", actor, reason, at, about=duty)


@incident_app.command()
def waive(
    incident_id: Id,
    duty: Annotated[str, typer.Option(help="The reporting duty, by its name in the policy.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it does not apply.")],
    actor: Who = None,
) -> None:
    """Say that a reporting duty does not apply to an incident."""
    _do(incident_id, "waive", actor, reason, None, about=duty)


@incident_app.command()
def correct(
    incident_id: Id,
    probe: Annotated[str | None, typer.Option(help="An attack or family that `watchkeeper probe` sends.")] = None,
    rule: Annotated[str | None, typer.Option(help="A rule under `controls` of the policy.")] = None,
    reason: Why = None,
    actor: Who = None,
) -> None:
    """Name the probe or rule that keeps it from coming again; it is verified once that was seen to work."""
    if (probe is None) == (rule is None):
        raise typer.BadParameter("give one of --probe and --rule")
    if probe is not None:
        from streams.review.probes import attacks

        if probe not in {name for attack in attacks() for name in (attack.attack_id, attack.family)}:
            raise typer.BadParameter(f"no attack or family is called {probe}; `watchkeeper probe list` names them")
    _do(incident_id, "correct", actor, reason, None, about=f"probe:{probe}" if probe else f"rule:{rule}")


@incident_app.command()
def assign(
    incident_id: Id,
    to: Annotated[str, typer.Option(help="Who is to have it in hand.")],
    reason: Why = None,
    actor: Who = None,
) -> None:
    """Give an incident to somebody. Its clock runs on until it is acknowledged."""
    _do(incident_id, "assign", actor, reason, None, assignee_id=to)


@incident_app.command()
def merge(
    incident_id: Id,
    into: Annotated[str, typer.Option(help="The incident that goes on.")],
    reason: Why = None,
    actor: Who = None,
) -> None:
    """Let one incident go on as part of another."""
    _do(incident_id, "merge", actor, reason, None, into_incident_id=into)
