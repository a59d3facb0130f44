"""``watchkeeper audit``: the log of what was done and asked, verified and given to others."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.commands.options import Kafka
from streams.settings import Settings, load

if TYPE_CHECKING:
    from streams.audit.verifier import Head

audit_app: Final = typer.Typer(no_args_is_help=True, help="The audit log; run where the API runs.")

HeadsFile = Annotated[
    Path | None, typer.Option("--heads", exists=True, dir_okay=False, help="Heads of an export, instead of Kafka's.")
]


@audit_app.command("verify")
def verify(
    heads: HeadsFile = None,
    key_file: Annotated[
        list[Path] | None, typer.Option(exists=True, help="A key that heads were signed with before.")
    ] = None,
    kafka: Kafka = None,
) -> None:
    """Find any entry that was removed, changed, moved or added, and say where; ends with 1 where one was."""
    from streams.audit.log import of
    from streams.audit.verifier import Check, lines_of, result

    settings = load(kafka=kafka)
    known = _heads(settings, heads)  # before the log, which grows meanwhile
    own = settings.control_key.get_secret_value().encode()
    check = Check(known, [key for key in (own, *(each.read_bytes().strip() for each in key_file or ())) if key])
    check.run(line for file, size in of(settings).parts() for line in lines_of(file, size))
    typer.echo(result(check))
    if not own:
        typer.echo("signatures of heads were not looked at: there is no WATCHKEEPER_CONTROL_KEY", err=True)
    raise typer.Exit(1 if check.faults else 0)


@audit_app.command("export")
def export(heads: HeadsFile = None, kafka: Kafka = None) -> None:
    """Print heads and entries as JSON Lines, for `watchkeeper audit verifier`; that they were is an entry too."""
    from streams.audit.log import entry, note, of
    from streams.audit.reading import lines

    settings = load(kafka=kafka)
    audit = of(settings)
    if problem := note(settings, [entry("export", did="audit log")]):
        typer.echo(problem, err=True)
    name = audit.name()
    for head in _heads(settings, heads):
        if head.log == name:
            _print(head.line())
    for line in lines(audit):
        _print(line)


@audit_app.command("verifier")
def verifier() -> None:
    """Print the verifier: a program that needs nothing but Python, for whoever is given an export."""
    from streams.audit import verifier as program

    typer.echo(Path(program.__file__).read_text(), nl=False)


def _heads(settings: Settings, file: Path | None) -> "list[Head]":
    from streams.audit.heads import read_heads
    from streams.audit.verifier import split

    return read_heads(settings) if file is None else split([file])[0]


def _print(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
