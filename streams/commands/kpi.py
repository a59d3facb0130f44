"""The command ``watchkeeper kpi``."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.settings import load


def kpi(
    since: Annotated[str, typer.Option(help="A span back from now (36h, 7d, 2w), or a time in ISO 8601.")] = "7d",
    service: Annotated[str, typer.Option(help="One service alone.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a page with a chart for each KPI.")] = None,
    clickhouse: Annotated[str | None, typer.Option(help="chdb://PATH or http(s)://HOST:PORT.")] = None,
) -> None:
    """Print the KPIs of each service over a period, each with its interval and whether it can be trusted."""
    from rich.console import Console

    from streams.kpis import show

    settings, now = load(clickhouse=clickhouse), datetime.now(UTC).replace(microsecond=0)
    period = show.Period(show.begin(since, now), now, service)
    rows = show.period_rows(settings, period)
    title = f"KPIs since {period.since:%Y-%m-%d %H:%M} UTC"
    if html is not None:
        from streams.kpis.page import hourly_rows, page

        html.write_text(page(rows, hourly_rows(settings, period), title))
        typer.echo(f"wrote {html}")
    elif as_json:
        sys.stdout.write("".join(json.dumps(row) + "\n" for row in rows))
    else:
        Console().print(show.table(rows, title))
