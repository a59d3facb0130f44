"""Commands ``watchkeeper policy`` and ``watchkeeper budget``."""

from pathlib import Path
from typing import Annotated, Final

import typer

from streams.commands.options import Store
from streams.settings import load

policy_app: Final = typer.Typer(no_args_is_help=True, help="The policy file.")


@policy_app.command("check")
def check(file: Annotated[Path, typer.Argument(help="A policy file.")]) -> None:
    """Say whether a policy can be used, and if not, what is wrong in which line."""
    from streams.policy.policy import load_policy

    policy = load_policy(file)
    typer.echo(
        f"{file} is a policy: {len(policy.services)} services, at most {policy.budget.pages_per_day:g} false pages "
        f"and {policy.budget.tickets_per_day:g} false tickets a day"
    )


def budget(clickhouse: Store = None) -> None:
    """Print how many false pages and tickets a day are promised, and what was raised and what became of it."""
    from streams.findings.shown import budget_table
    from streams.findings.tickets import BUDGET_QUERY
    from streams.policy.policy import load_policy
    from streams.store.ask import ask_rows
    from streams.text.terminal import console

    settings = load(clickhouse=clickhouse)
    promised = load_policy(settings.policy).budget
    per_day = {"page": promised.pages_per_day, "ticket": promised.tickets_per_day}
    console().print(budget_table(ask_rows(settings, BUDGET_QUERY), per_day))
