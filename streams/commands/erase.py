"""``watchkeeper erase``: have everything erased that names somebody."""

import getpass
from typing import Annotated

import typer

from streams.settings import SettingsError, load


def erase(
    reason: Annotated[str, typer.Option(help="Why, without naming who it is: it is kept.")],
    user: Annotated[str, typer.Option(help="A user, as `user_pseudo_id` has it, or as an e-mail address.")] = "",
    session: Annotated[str, typer.Option(help="A session.")] = "",
    tenant: Annotated[str, typer.Option(help="A tenant.")] = "",
) -> None:
    """Have somebody's data erased, up to now: from rows, verdicts, labels, evidence and refused records; admins may."""
    from streams.api.client import call

    given = {name: value for name, value in (("user", user), ("session", session), ("tenant", tenant)) if value}
    if len(given) != 1:
        raise SettingsError("say whose data: one of --user, --session and --tenant")
    [(subject, value)] = given.items()
    body = {"subject": subject, "value": value, "reason": reason, "actor": getpass.getuser()}
    made = call(load(), "POST", "/erasures", json=body)
    if "request_id" in made:
        typer.echo(made["detail"])
        return
    typer.echo(f"erasure {made['erasure_id']} of {subject} {made['subject_hash'][:16]} is written down")
    typer.echo("the store is done in two minutes (`erased` in the audit log), Kafka when its topics let them go")
