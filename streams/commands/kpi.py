"""The command ``watchkeeper kpi``."""

import json
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.settings import Settings, load

if TYPE_CHECKING:
    from streams.kpis.period import Period


class By(Enum):
    """What has versions."""

    model = "model"
    prompt = "prompt"
    index = "index"


def kpi(
    since: Annotated[str, typer.Option(help="A span back from the end (36h, 7d, 2w), or a time in ISO 8601.")] = "7d",
    until: Annotated[str, typer.Option(help="The end: a span back from now, or a time; else now.")] = "",
    service: Annotated[str, typer.Option(help="One service alone.")] = "",
    by_axis: Annotated[bool, typer.Option("--by-axis", help="Safety, security and quality each by itself.")] = False,  # noqa: FBT002
    by: Annotated[By | None, typer.Option(help="Each version of models, prompts or indexes by itself.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002
    html: Annotated[Path | None, typer.Option(dir_okay=False, help="Write a page with a chart for each KPI.")] = None,
    clickhouse: Annotated[str | None, typer.Option(help="chdb://PATH or http(s)://HOST:PORT.")] = None,
) -> None:
    """Print the KPIs of each service over a period, each with its interval and whether it can be trusted."""
    from streams.kpis import period, show
    from streams.text.terminal import console

    settings, asked = load(clickhouse=clickhouse), period.period(since, until, service)
    if hint := period.nothing_stored(settings, asked):
        typer.echo(hint, err=True)
    if by is not None:
        _versions(settings, asked, by, as_json=as_json)
        return
    rows = show.period_rows(settings, asked, by_axis=by_axis)
    if html is not None:
        from streams.kpis.page import hourly_rows, page

        html.write_text(page(rows, hourly_rows(settings, asked), f"KPIs {asked}"))
        typer.echo(f"wrote {html}")
    elif as_json:
        sys.stdout.write("".join(json.dumps(row) + "\n" for row in rows))
    else:
        console().print(show.table(rows, f"KPIs {asked}"))


def _versions(settings: Settings, asked: "Period", by: By, *, as_json: bool) -> None:
    from streams.kpis.versions import as_rows, table, versions
    from streams.text.terminal import console

    found = versions(settings, asked, by.value)
    if as_json:
        sys.stdout.write("".join(json.dumps(row) + "\n" for row in as_rows(found)))
    else:
        console().print(table(found, f"Versions {asked}"))
