"""``watchkeeper approval``: what waits for a second person, and that person's word; thin, over the HTTP API."""

import json
from typing import Annotated, Any, Final

import typer

from streams.api.client import call
from streams.settings import load

approval_app: Final = typer.Typer(no_args_is_help=True, help="Acts that take two persons: look, agree, refuse.")

Id = Annotated[str, typer.Argument(help="As `watchkeeper approval list` shows it.")]


@approval_app.command("list")
def listed(
    state: Annotated[str, typer.Option(help="all, pending, expired, approved, refused, ...")] = "pending",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002
) -> None:
    """List what was asked for and takes two persons."""
    found = call(load(), "GET", "/approvals", params={"state": state})["requests"]
    lines = map(json.dumps, found) if as_json else map(_line, found)
    typer.echo("\n".join(lines) or "nothing waits for another person")


@approval_app.command()
def show(request_id: Id) -> None:
    """Show a request with everything that it would write."""
    found = call(load(), "GET", "/approvals")["requests"]
    for each in found:
        if each["request_id"] == request_id:
            typer.echo(json.dumps(each, indent=2, ensure_ascii=False))
            return
    typer.echo(f"nothing was asked for as {request_id}", err=True)
    raise typer.Exit(1)


@approval_app.command()
def approve(request_id: Id, reason: Annotated[str, typer.Option(help="Kept with it.")] = "") -> None:
    """Agree to what another person asked for: it is carried out, word for word."""
    _say(request_id, "approve", reason)


@approval_app.command()
def refuse(request_id: Id, reason: Annotated[str, typer.Option(help="Kept with it.")] = "") -> None:
    """Refuse what was asked for, or take your own request back."""
    _say(request_id, "refuse", reason)


@approval_app.command("break-glass")
def break_glass(
    request_id: Id, reason: Annotated[str, typer.Option(help="Why it can't wait, in five words or more.")]
) -> None:
    """Carry out alone what you asked for: it is written down, and everybody who is told of incidents is paged."""
    _say(request_id, "break-glass", reason)


def _say(request_id: str, decision: str, reason: str) -> None:
    now = call(load(), "POST", f"/approvals/{request_id}/{decision}", json={"reason": reason})
    typer.echo(_line(now))


def _line(each: dict[str, Any]) -> str:
    state = each["state"].replace("_", " ")
    decided = f", {each['decision'].replace('_', ' ')} by {each['decided_by']}" if each["decision"] else ""
    return f"{each['request_id']}  {state}{decided}: {each['what']}; asked by {each['asked_by']}: {each['reason']}"
