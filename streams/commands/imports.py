"""``watchkeeper import``: files of other systems into Kafka."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.options import Kafka
from streams.settings import load

if TYPE_CHECKING:
    from streams.intake.importing import Progress


def import_files(
    files: Annotated[list[str], typer.Argument(help="Files of telemetry, also .gz; - is the input.")],
    dialect: Annotated[
        str | None, typer.Option(help="What to take the records for; told from their shape else.")
    ] = None,
    service: Annotated[str | None, typer.Option(help="The service of all events, whatever the records say.")] = None,
    model: Annotated[str, typer.Option(help="Of evaluations: the version, as production calls it.")] = "",
    category: Annotated[str, typer.Option(help="Of evaluations: the hazard, where the file names none.")] = "",
    higher_is_worse: Annotated[  # noqa: FBT002
        bool, typer.Option("--higher-is-worse", help="Of evaluations: a right answer is the harm.")
    ] = False,
    kafka: Kafka = None,
) -> None:
    """Send files of other systems into Kafka as events; a new start goes on where the last one ended."""
    from streams.dialects.evaluations import READERS
    from streams.intake.evaluations import import_evaluations, read_evaluations

    if dialect in READERS:
        if not service:
            raise typer.BadParameter("say by --service whose version was evaluated")
        for name in files:
            runs = read_evaluations(
                name, dialect, service, model=model, category=category, higher_is_worse=higher_is_worse
            )
            typer.echo(f"{name}: {import_evaluations(load(kafka=kafka), runs)} evaluation runs sent")
        return
    from streams.intake.importing import Importer

    settings = load(kafka=kafka)
    refused = 0
    for name in files:
        importer = Importer(settings, name, dialect, service)
        with _told(name) as progress:
            done = importer.run(progress)
        earlier = f", {done.earlier} of them earlier" if done.earlier else ""
        typer.echo(f"{name}: {done.records} records{earlier}, {done.events} events sent, {done.refused} refused")
        if done.refused:
            typer.echo(f"what was refused is in {importer.refusals}, with reasons", err=True)
        refused += done.refused
    raise typer.Exit(1 if refused else 0)


@contextmanager
def _told(name: str) -> Iterator["Progress"]:
    """Show on a terminal how far it is; nothing of it stays, and nothing goes to the output."""
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name)

        def progress(records: int, events: int, refused: int) -> None:
            bar.update(task, description=f"{name}: {records:,} records, {events:,} events, {refused:,} refused")

        yield progress
