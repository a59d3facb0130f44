"""The command ``watchkeeper runbook``."""

from typing import Annotated

import typer


def runbook(
    name: Annotated[str, typer.Argument(help="A runbook, or a family of incidents; none for the list of them.")] = "",
) -> None:
    """Print what to do when something of a kind was found: three looks with SQL, how to stop it, when it is over."""
    from dashboards.runbook import names, page
    from schemas.runbooks import OF_FAMILY

    if not name:
        typer.echo("\n".join(names()))
    elif (known := OF_FAMILY.get(name, name)) in names():
        typer.echo(page(known))
    else:
        raise typer.BadParameter(f"no runbook is called {name!r}; take one of {', '.join(names())}")
