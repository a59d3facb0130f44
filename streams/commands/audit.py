"""``watchkeeper audit``: the log of what was done and asked, verified and given to others."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.commands.options import Kafka
from streams.settings import Settings, SettingsError, load

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
        list[Path] | None, typer.Option(exists=True, help="A public key, or the secret of older heads, used before.")
    ] = None,
    report: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A report: is it one that was made here?")
    ] = None,
    kafka: Kafka = None,
) -> None:
    """Find any entry that was removed, changed, moved or added, and say where; ends with 1 where one was."""
    from streams.audit.log import of
    from streams.audit.verifier import Check, lines_of, result, result_of

    settings = load(kafka=kafka)
    known = _heads(settings, heads)  # before the log, which grows meanwhile
    keys = [*_own_key(settings), *(each.read_bytes().strip() for each in key_file or ())]
    check = Check(known, [key for key in keys if key])
    check.run(line for file, size in of(settings).parts() for line in lines_of(file, size))
    reports = [result_of(file, check) for file in report or ()]
    typer.echo("\n".join([result(check), *(text for _, text in reports)]))
    if not keys:
        typer.echo("signatures of heads were not looked at: no key of this installation is here", err=True)
    raise typer.Exit(0 if not check.faults and all(true for true, _ in reports) else 1)


@audit_app.command("key")
def key() -> None:
    """Print the public key that heads are signed with; keep it elsewhere, and give it to whoever verifies."""
    from streams.audit.signing import public_key

    typer.echo(public_key(load()))


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
    from streams.audit.reading import program

    typer.echo(program(), nl=False)


def _own_key(settings: Settings) -> list[bytes]:
    from streams.audit.signing import public_key

    try:
        return [public_key(settings).encode()]
    except SettingsError:  # the log of another, or of a folder that was restored
        return []


def _heads(settings: Settings, file: Path | None) -> "list[Head]":
    from streams.audit.heads import read_heads
    from streams.audit.verifier import split

    return read_heads(settings) if file is None else split([file])[0]


def _print(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")
