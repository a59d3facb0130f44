"""Commands ``watchkeeper policy`` and ``watchkeeper budget``."""

import getpass
import json
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from schemas.topics import CHANGES
from streams.commands.options import Kafka, Store
from streams.settings import SettingsError, load

policy_app: Final = typer.Typer(no_args_is_help=True, help="The policy file.")


@policy_app.command("check")
def check(file: Annotated[Path, typer.Argument(help="A policy file.")]) -> None:
    """Say whether a policy can be used, and if not, what is wrong in which line."""
    from streams.policy.explain import lacking, today
    from streams.policy.policy import load_policy

    policy = load_policy(file)
    for name, service in policy.services.items():
        for line in lacking(service, today()):
            typer.echo(f"{name}: {line}", err=True)
    typer.echo(
        f"{file} is a policy: {len(policy.services)} services, at most {policy.budget.pages_per_day:g} false pages "
        f"and {policy.budget.tickets_per_day:g} false tickets a day"
    )


@policy_app.command("explain")
def explain(file: Annotated[Path, typer.Argument(help="A policy file.")]) -> None:
    """Say in words what a policy agrees about each service, with all that it extends, and what is not agreed yet."""
    from streams.policy.explain import explained, today
    from streams.policy.policy import load_policy

    typer.echo("\n".join(explained(load_policy(file), today())) or f"{file} names no service")


@policy_app.command("held")
def held(
    file: Annotated[Path | None, typer.Argument(help="A policy file; else the one in use.")] = None,
    until: Annotated[str, typer.Option(help="The end: a span back from now, or a time; else now.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One promise a line.")] = False,  # noqa: FBT002
    clickhouse: Store = None,
) -> None:
    """Hold what each service promises against the store: objectives, roll-backs, reviews, risks; 1 if any is broken."""
    import msgspec

    from streams.kpis.period import period
    from streams.kpis.promises import promises, table
    from streams.policy.policy import load_policy
    from streams.text.terminal import console

    settings = load(clickhouse=clickhouse)
    found = promises(settings, load_policy(file or settings.policy), period("7d", until, "").until)
    if as_json:
        typer.echo("\n".join(json.dumps(msgspec.to_builtins(each)) for each in found))
    else:
        console().print(table(found))
    raise typer.Exit(1 if any(each.state == "broken" for each in found) else 0)


@policy_app.command("record")
def record(
    new: Annotated[Path, typer.Argument(help="The policy that holds from now on.")],
    old: Annotated[Path, typer.Option("--from", help="The policy that held before.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    initiator: Annotated[str | None, typer.Option(help="Who did it; the user of this terminal if not said.")] = None,
    approver: Annotated[list[str] | None, typer.Option(help="Who approved it; may be said several times.")] = None,
    incident: Annotated[str | None, typer.Option(help="The incident that led to it.")] = None,
    kafka: Kafka = None,
) -> None:
    """Record a change of the policy on the timeline of changes: who, why, and what differs, service by service."""
    from streams.audit.published import send_all
    from streams.kafka.sending import message
    from streams.policy.policy import load_policy
    from streams.policy.record import policy_changes

    by, before = initiator or getpass.getuser(), load_policy(old)
    if "publish_policy" in before.two_persons:
        raise SettingsError(f"{old} wants two persons for that: `watchkeeper policy publish {new} --from {old}`")
    found = policy_changes(before, load_policy(new), by, reason, approver or [], incident, time.time_ns())
    if not found:
        typer.echo("the two say the same: there is no change to record")
        return
    settings = load(kafka=kafka)
    send_all(settings, CHANGES, [message(settings, CHANGES, each, each.service_name) for each in found])
    for each in found:
        typer.echo(f"{each.service_name}: {len(each.labels or {})} keys, {each.from_version} to {each.to_version}")


@policy_app.command("publish")
def publish(
    new: Annotated[Path, typer.Argument(help="The policy that is to hold.")],
    old: Annotated[Path, typer.Option("--from", help="The policy that held before.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    effective: Annotated[str, typer.Option("--effective-from", help="From when on, with its zone; at once.")] = "",
) -> None:
    """Publish a change of the policy by the API, as who has the token: at once, or once another person agrees."""
    from streams.api.client import call
    from streams.policy.policy import load_policy

    before, after = (load_policy(file).model_dump(mode="json", by_alias=True) for file in (old, new))
    who, since = getpass.getuser(), effective or None
    said = {"policy": after, "before": before, "reason": reason, "effective_from": since, "actor": who}
    made = call(load(), "POST", "/policies", json=said)
    typer.echo(made.get("detail") or f"{made['version']} holds for {', '.join(made['services'])}")


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
