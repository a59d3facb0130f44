"""The commands ``watchkeeper verify`` and ``watchkeeper rebuild``."""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.commands.options import Kafka, Store
from streams.settings import load


def verify(
    since: Annotated[datetime | None, typer.Option("--from", help="From this time on, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", help="And up to this one.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,  # noqa: FBT002
    kafka: Kafka = None,
    clickhouse: Store = None,
) -> None:
    """Hold log, rows, rollups and windows against each other: equal ends with 0, a hole is named and ends with 1."""
    from streams.verify.run import Verifier
    from streams.verify.show import lines

    report = Verifier(load(kafka=kafka, clickhouse=clickhouse), since, until).run()
    typer.echo(json.dumps(report.plain()) if as_json else "\n".join(lines(report)))
    raise typer.Exit(0 if report.equal else 1)


def rebuild(
    data_dir: Annotated[Path | None, typer.Option(help="Where `watchkeeper up` keeps everything.")] = None,
    kafka: Kafka = None,
    clickhouse: Store = None,
) -> None:
    """Have history store again what Kafka holds and the store does not: after a loss, or when parts can't be read."""
    from streams.store.rebuild import rebuild as run

    run(load(data_dir=data_dir, kafka=kafka, clickhouse=clickhouse), typer.echo)
