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
    """List tokens and sessions of the provider's people: id, whose, roles, until when, and whether it is valid."""
    from rich.table import Table

    from streams.access import principals
    from streams.access.oidc import people
    from streams.text.terminal import console

    shown = Table("id", "name", "roles", "teams", "until", "state")
    settings, now = load(), time.time()
    for each in principals.read_tokens(principals.tokens_file(settings)):
        roles, teams = ", ".join(each.roles), ", ".join(each.teams)
        shown.add_row(each.token_id, each.name, roles, teams, _utc(each.expires), each.state(now))
    for one in people.read_book(people.people_file(settings)).sessions:
        if one.ends > now:
            shown.add_row(one.session_id, one.name, f"of {', '.join(one.groups)}", "", _utc(one.ends), "signed in")
    console().print(shown)


@token_app.command("revoke")
def revoke(
    which: Annotated[str, typer.Argument(help="The id of a token or a session, or a name for all of that name.")],
) -> None:
    """Make a token worthless, or end a session, at once."""
    from streams.access import principals
    from streams.access.oidc import people

    settings = load()
    ended = people.end_sessions(people.people_file(settings), which)
    for one in ended:
        typer.echo(f"ended {one.session_id} of {one.name}")
        _note(settings, "session_ended", token=one.session_id, name=one.name)
    try:
        gone = principals.revoke(principals.tokens_file(settings), which)
    except ValueError:
        if not ended:
            raise
        gone = []
    for each in gone:
        typer.echo(f"revoked {each.token_id} of {each.name}")
        _note(settings, "token_revoked", token=each.token_id, name=each.name, roles=list(each.roles))


@token_app.command("free")
def free(name: Annotated[str, typer.Argument(help="The name, as oidc/kim.")]) -> None:
    """Give the name of somebody of the provider free: it is whose who comes with it next."""
    from streams.access.oidc import people

    settings = load()
    if not people.free(people.people_file(settings), name):
        raise SettingsError(f"nobody has the name {name!r}; `watchkeeper token list` shows who is signed in")
    _note(settings, "name_freed", name=name)


def _utc(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _note(settings: Settings, kind: str, **values: str | list[str]) -> None:
    from streams.audit.log import entry, note

    if problem := note(settings, [entry(kind, **values)]):
        typer.echo(problem, err=True)
