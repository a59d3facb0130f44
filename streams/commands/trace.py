"""The command ``watchkeeper trace``."""

import json
from typing import Annotated

import typer

from streams.commands.options import Store
from streams.settings import load


def trace(
    asked: Annotated[
        str,
        typer.Argument(metavar="ID", help="An event, trace, answer, document, item of a memory, finding or incident."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="The links as JSON.")] = False,  # noqa: FBT002
    as_prov: Annotated[bool, typer.Option("--prov", help="The chain as W3C PROV-JSON.")] = False,  # noqa: FBT002
    clickhouse: Store = None,
) -> None:
    """Walk from a document or memory item to the answers that used it, or from an answer to sources and incidents."""
    import msgspec

    from streams.lineage.chain import chain_of
    from streams.lineage.prov import prov
    from streams.lineage.shown import lines

    chain = chain_of(load(clickhouse=clickhouse), asked)
    if not chain.links:
        typer.echo(f"no event, document, memory item, finding or incident that is stored is called {asked!r}", err=True)
        raise typer.Exit(1)
    if as_prov:
        typer.echo(json.dumps(prov(chain), indent=1))
    elif as_json:
        typer.echo(json.dumps(msgspec.to_builtins(chain)))
    else:
        typer.echo("\n".join(lines(chain)))
