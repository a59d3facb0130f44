"""The commands ``watchkeeper guard …``."""

import json
from typing import Annotated, Final

import typer

from streams.settings import load

guard_app: Final = typer.Typer(no_args_is_help=True, help="Guards: what another threshold would have done.")


@guard_app.callback()
def _guard() -> None:
    """Hold the commands together, also while there is one."""


@guard_app.command()
def whatif(
    guard: Annotated[str, typer.Argument(help="The guard, as events name it.")],
    category: Annotated[str, typer.Argument(help="The category whose scores count.")],
    threshold: Annotated[
        list[float] | None, typer.Option(help="Flag from this score on; may be given several times. Else .5 to .9.")
    ] = None,
    since: Annotated[str, typer.Option(help="A span back from the end (36h, 7d, 2w), or a time in ISO 8601.")] = "7d",
    until: Annotated[str, typer.Option(help="The end: a span back from now, or a time; else now.")] = "",
    service: Annotated[str, typer.Option(help="One service alone.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002
) -> None:
    """Say what a guard would have caught, missed and blocked wrongly at other thresholds."""
    from streams.kpis.period import period
    from streams.review.whatif import THRESHOLDS, Question, table
    from streams.review.whatif import whatif as found
    from streams.text.terminal import console

    asked = period(since, until, service)
    rows = found(load(), Question(guard=guard, category=category, period=asked, thresholds=threshold or THRESHOLDS))
    if as_json:
        typer.echo("\n".join(map(json.dumps, rows)))
    else:
        console().print(table(rows, f"{guard} on {category} {asked}"))
