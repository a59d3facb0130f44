"""``watchkeeper pseudonym``: what stands for somebody in the store, and the key that services need for the same."""

from typing import Annotated

import typer

from streams.settings import SettingsError, load


def pseudonym(
    value: Annotated[str, typer.Argument(help="An e-mail address, a telephone number or an id.")] = "",
    key: Annotated[bool, typer.Option("--key", help="Print the key for services instead; it is a secret.")] = False,  # noqa: FBT002
) -> None:
    """Say what stands for somebody: with the key in use, and with the one before where there is one."""
    from streams.identifiers.keys import Pseudonyms, shared_key

    if key == bool(value):
        raise SettingsError("say whose pseudonym, or --key")
    settings = load()
    typer.echo(shared_key(settings) if key else "\n".join(Pseudonyms(settings).every(value)))
