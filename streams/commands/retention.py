"""``watchkeeper retention``: what is too old, and what was removed because of that."""

import json
import time
from typing import Annotated, Final

import typer

from streams.commands.options import Kafka, Store
from streams.settings import load

retention_app: Final = typer.Typer(no_args_is_help=True, help="How long data are kept, as the policy says.")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


@retention_app.command("plan")
def plan(as_json: AsJson = False, kafka: Kafka = None, clickhouse: Store = None) -> None:  # noqa: FBT002
    """Say what would go now, of each table, topic and folder; nothing is removed."""
    from streams.policy.policy import load_policy
    from streams.retention.show import periods, plan_table, planned
    from streams.text.terminal import console

    settings = load(kafka=kafka, clickhouse=clickhouse)
    policy = load_policy(settings.policy)
    retention = policy.retention
    found, left_out = planned(settings, retention, time.time())
    if left_out:
        typer.echo(left_out, err=True)
    if as_json:
        typer.echo("\n".join(json.dumps(each._asdict()) for each in found))
        return
    typer.echo(periods(retention))
    if any(each.gone for each in found):
        console().print(plan_table(found))
    else:
        typer.echo("nothing is older than that")
    if not policy.names_retention:
        typer.echo("nothing is removed: the policy names no `retention`; `retention: {}` is the usual one", err=True)


@retention_app.command("show")
def show(as_json: AsJson = False, clickhouse: Store = None) -> None:  # noqa: FBT002
    """Say what went, newest first."""
    from streams.retention.show import went, went_table
    from streams.text.terminal import console

    found = went(load(clickhouse=clickhouse))
    if as_json:
        typer.echo("\n".join(map(json.dumps, found)))
    elif found:
        console().print(went_table(found))
    else:
        typer.echo("nothing was removed yet")
