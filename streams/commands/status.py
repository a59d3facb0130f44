"""The command ``watchkeeper status``."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from streams.commands.options import Store
from streams.settings import load


def status(
    since: Annotated[str, typer.Option(help="A span back from the end (1h, 24h, 7d), or a time in ISO 8601.")] = "24h",
    until: Annotated[str, typer.Option(help="The end: a span back from now, or a time; else now.")] = "",
    service: Annotated[str, typer.Option(help="One service alone.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,  # noqa: FBT002
    clickhouse: Store = None,
) -> None:
    """Say what arrives: each service's newest event, orphans, what was refused and why, codes that nobody knows."""
    from streams.intake.doctor.agreed import expired_risks
    from streams.intake.status import status_of, tables
    from streams.kpis.period import nothing_stored, period
    from streams.policy.explain import today
    from streams.policy.policy import load_policy
    from streams.text.terminal import console

    settings, asked = load(clickhouse=clickhouse), period(since, until, service)
    found = status_of(settings, asked)
    if as_json:
        typer.echo(json.dumps(asdict(found)))
        return
    for table in tables(found):
        console().print(table)
    for complaint in expired_risks(load_policy(settings.policy), today()):
        typer.echo(str(complaint), err=True)
    if hint := nothing_stored(settings, asked):
        typer.echo(hint, err=True)
