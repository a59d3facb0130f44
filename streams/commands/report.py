"""The command ``watchkeeper report``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from streams.settings import load


def report(
    since: Annotated[str, typer.Option("--from", help="A span back from the end (36h, 7d), or a time in ISO 8601.")],
    until: Annotated[str, typer.Option("--to", help="The end: a span back from now, or a time; else now.")] = "",
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="The HTML file; printed if not given.")] = None,
) -> None:
    """Write incidents, KPIs and rates of a period as one HTML page; the incidents worker and the store must run."""
    from streams.api.report import entered
    from streams.api.report import report as made
    from streams.kpis.period import nothing_stored, period

    settings, asked = load(), period(since, until, options=("--from", "--to"))
    if hint := nothing_stored(settings, asked):
        raise ValueError(f"{hint}; nothing is written")
    page, problem = entered(settings, made(settings, asked), asked)
    if out is None:
        sys.stdout.write(page)
    else:
        out.write_bytes(page.encode())
        typer.echo(f"wrote {out}")
    if problem:
        typer.echo(problem, err=True)
