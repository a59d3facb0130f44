"""The command ``watchkeeper tail``."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from streams.commands.options import Kafka
from streams.settings import load


def tail(
    service: Annotated[str | None, typer.Option("--service", help="Whose events; everybody's if not given.")] = None,
    since: Annotated[str, typer.Option(help="From when on: a span back (5m, 1h) or a time; else from now.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many lines.")] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", help="Wait for more, or end at what is there.")
    ] = True,
    kafka: Kafka = None,
) -> None:
    """Follow the events of a service in Kafka, a line each: outcome, guards, errors, losses; never their content."""
    from streams.kpis.period import moment
    from streams.replay.tail import tail as lines

    began = moment(since, datetime.now(UTC), "--since") if since else None
    try:
        for line in islice(lines(load(kafka=kafka), service, began, follow=follow), limit):
            typer.echo(line)
    except KeyboardInterrupt:
        raise typer.Exit from None
