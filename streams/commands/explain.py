"""``watchkeeper explain``: what a record is taken for, and how it is counted."""

import json
from typing import Annotated, Final

import typer

MOST_STATUS: Final = 63
"""The exit status says how many records were refused, up to here: above are the statuses of a command that failed."""


def explain(
    file: Annotated[str, typer.Argument(help="JSON, JSON lines, an array, OTLP bytes, also .gz; - is the input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One object a line for each record.")] = False,  # noqa: FBT002
    dialect: Annotated[str | None, typer.Option(help="Take every record for this dialect.")] = None,
    written_ms: Annotated[
        int | None, typer.Option("--written-ms", min=0, help="When the records were written, Unix milliseconds.")
    ] = None,
) -> None:
    """Say what telemetry is taken for, what is dropped, and how each rate counts it and why; nothing is sent."""
    from streams.intake.explain import explain as explained
    from streams.intake.explain import with_complaints
    from streams.intake.reading import read_file
    from streams.intake.show import lines

    refused = 0
    for found in with_complaints(explained(read_file(file), dialect, written_ms)):
        refused += found.refused
        typer.echo(json.dumps(found.plain()) if as_json else "\n".join(lines(found)))
    if refused:
        typer.echo(f"{refused} records were refused", err=True)
        raise typer.Exit(min(refused, MOST_STATUS))
