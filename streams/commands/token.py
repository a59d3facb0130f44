"""``watchkeeper token``: names for people and machines."""

import time
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from schemas.durations import seconds
from streams.access.roles import ROLES
from streams.settings import Settings, SettingsError, load

token_app: Final = typer.Typer(no_args_is_help=True, help="Tokens of people and machines; run where the API runs.")


@token_app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="Who has it: what is done with it is written down under this name.")],
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; may be given several times.")],
    lasts: Annotated[str, typer.Option("--for", help="For how long, such as 12h or 90d.")] = "90d",
    team: Annotated[
        list[str] | None, typer.Option(help="A team of the policy whose services it sees, or '*' for all of them.")
    ] = None,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    from streams.access import principals

    if wrong := [each for each in role if each not in ROLES]:
        raise SettingsError(f"{', '.join(wrong)} is no role; take some of {', '.join(ROLES)}")
    roles = tuple(each for each in ROLES if each in role)
    settings = load()
    teams = _known(settings, team or [], roles)
    typer.echo(principals.create(principals.tokens_file(settings), name, roles, seconds(lasts), teams))
    _note(settings, "token_created", name=name, roles=list(roles), lasts=lasts, teams=list(teams))


def _known(settings: Settings, named: list[str], roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the teams of a token; one that the policy does not name is a mistake, and none may see nothing."""
    from streams.access.teams import EVERY, services_of
    from streams.policy.policy import load_policy

    teams = load_policy(settings.policy).teams
    if wrong := [each for each in named if each != EVERY and each not in teams]:
        known = ", ".join(teams) or "none; name teams in the file of WATCHKEEPER_POLICY"
        raise SettingsError(f"{', '.join(wrong)} is no team of the policy; it names {known}")
    if services_of(named, roles, teams) == ():
        typer.echo("the policy names teams, and this token has none: it will see no service", err=True)
    return tuple(dict.fromkeys(named))


@token_app.command("list")
def listed() -> None:
    """List tokens: id, whose, roles, until when, and whether it is valid."""
    from rich.table import Table

    from streams.access import principals
    from streams.text.terminal import console

    shown = Table("id", "name", "roles", "teams", "until", "state")
    for each in principals.read_tokens(principals.tokens_file(load())):
        until = f"{datetime.fromtimestamp(each.expires, UTC):%Y-%m-%d %H:%M} UTC"
        roles, teams = ", ".join(each.roles), ", ".join(each.teams)
        shown.add_row(each.token_id, each.name, roles, teams, until, each.state(time.time()))
    console().print(shown)


@token_app.command("revoke")
def revoke(which: Annotated[str, typer.Argument(help="The id of a token, or a name for all of that name.")]) -> None:
    """Make a token worthless, at once."""
    from streams.access import principals

    settings = load()
    for each in principals.revoke(principals.tokens_file(settings), which):
        typer.echo(f"revoked {each.token_id} of {each.name}")
        _note(settings, "token_revoked", token=each.token_id, name=each.name, roles=list(each.roles))


def _note(settings: Settings, kind: str, **values: str | list[str]) -> None:
    from streams.audit.log import entry, note

    if problem := note(settings, [entry(kind, **values)]):
        typer.echo(problem, err=True)
