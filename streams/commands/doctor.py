"""``watchkeeper doctor``: what is often wrong with telemetry that is accepted."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins

from streams.commands.options import Store
from streams.settings import Settings, load


def doctor(
    files: Annotated[list[str] | None, typer.Argument(help="Files to look at instead of the store, also .gz.")] = None,
    hours: Annotated[float, typer.Option(min=0.01, help="How far back to look in the store.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="One complaint a line.")] = False,  # noqa: FBT002
    production: Annotated[bool, typer.Option("--production", help="Say what stands open instead.")] = False,  # noqa: FBT002
    compose: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="The Compose file that is run; docker-compose.yml if it is here."),
    ] = None,
    clickhouse: Store = None,
) -> None:
    """Look over the last hour of telemetry, or files of it, and say what looks wrong and what to do; 1 if anything.

    With --production: what stands open in the settings in force, on the disk, at Kafka and at the store.
    """
    if production:
        raise typer.Exit(_stands_open(load(clickhouse=clickhouse), compose, as_json=as_json))
    from streams.intake.doctor import complaints, look_at_events, look_at_store
    from streams.intake.doctor.agreed import expired_risks, expiring_certificate
    from streams.intake.explain import explain
    from streams.intake.reading import read_file
    from streams.policy.explain import today
    from streams.policy.policy import load_policy

    settings = load(clickhouse=clickhouse)
    if files:
        read = (found for name in files for found in explain(read_file(name)))
        looks = look_at_events(event for found in read for event in found.translation.events)
    else:
        looks = look_at_store(settings, hours)
    found = [*expired_risks(load_policy(settings.policy), today()), *expiring_certificate(settings), *complaints(looks)]
    events = sum(look.calls + look.steps for look in looks)
    for complaint in found:
        typer.echo(json.dumps(asdict(complaint)) if as_json else str(complaint))
    if not events:
        typer.echo("there is no call and no step to look at: is anything sent, and to this installation?", err=True)
    elif not found:
        typer.echo(f"{events:,} events of {len(looks)} services: nothing looks wrong", err=as_json)
    raise typer.Exit(0 if events and not found else 1)


def _stands_open(settings: Settings, compose: Path | None, *, as_json: bool) -> int:
    """Say what stands open, and return the exit status."""
    from streams.production.run import open_gaps

    here = Path("docker-compose.yml")
    found = list(open_gaps(settings, compose or (here if here.exists() else None)))
    for gap in found:
        typer.echo(json.dumps(to_builtins(gap)) if as_json else str(gap))
    if not found:
        typer.echo("nothing stands open", err=as_json)
    return 1 if found else 0
