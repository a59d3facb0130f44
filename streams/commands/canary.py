"""``watchkeeper canary``: begin and end a canary under the gate, and see how it stands."""

import getpass
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final

import typer

from schemas.evaluations import EvaluationRun
from schemas.topics import CHANGES
from streams.commands.options import Kafka, Store
from streams.settings import Settings, load

canary_app: Final = typer.Typer(no_args_is_help=True, help="Candidates beside what is stable, and the gate.")

Service = Annotated[str, typer.Argument(help="The service.")]
Candidate = Annotated[str, typer.Option(help="Version of the candidate, as its events say it.")]
Prompt = Annotated[
    str | None, typer.Option(help="The prompt, as `prompt_name` names it, of which the candidate is a version.")
]
Reason = Annotated[str | None, typer.Option(help="Why.")]


@canary_app.command()
def start(  # noqa: PLR0913, PLR0917 - one option for each fact of a canary
    service: Service,
    candidate: Candidate,
    stable: Annotated[str | None, typer.Option(help="The version to go back to.")] = None,
    prompt: Prompt = None,
    min_exposure: Annotated[int | None, typer.Option(min=1, help="Sessions before a promotion.")] = None,
    max_regret: Annotated[float | None, typer.Option(min=0, help="Flagged sessions it may cost.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who answers for it.")] = None,
    reason: Reason = None,
    kafka: Kafka = None,
) -> None:
    """Put a candidate under the gate, which asks once to promote it or to take it back."""
    limits = {"min_exposure": min_exposure, "max_regret": max_regret}
    stats = {name: float(value) for name, value in limits.items() if value is not None}
    said = {"action": "started", "from_version": stable, "gate_stats": stats or None, "reason": reason}
    _publish(kafka, service, candidate, prompt, said | {"initiator_id": owner or getpass.getuser()})


@canary_app.command()
def stop(
    service: Service, candidate: Candidate, prompt: Prompt = None, reason: Reason = None, kafka: Kafka = None
) -> None:
    """Take a candidate from under the gate without a decision."""
    said = {"action": "aborted", "reason": reason, "initiator_id": getpass.getuser()}
    _publish(kafka, service, candidate, prompt, said)


@canary_app.command()
def status(
    service: Annotated[str | None, typer.Option(help="Only of this service.")] = None,
    clickhouse: Store = None,
) -> None:
    """Print each metric of each candidate beside stable, and what was decided."""
    from rich.console import Console

    from streams.findings.canaries import (
        CANARIES_QUERY,
        EVALUATIONS_QUERY,
        LOOKS_QUERY,
        REQUESTS_QUERY,
        evaluations_table,
        status_table,
    )
    from streams.store.ask import ask_rows

    settings = load(clickhouse=clickhouse)
    canaries, looks, requests = (ask_rows(settings, query) for query in (CANARIES_QUERY, LOOKS_QUERY, REQUESTS_QUERY))
    Console().print(status_table(canaries, looks, requests, service))
    if (evaluated := evaluations_table(ask_rows(settings, EVALUATIONS_QUERY), service)).row_count:
        Console().print(evaluated)
    for line in _waiting(settings, canaries, service):
        typer.echo(line)


def _waiting(settings: Settings, canaries: Iterable[dict[str, Any]], service: str | None) -> Iterator[str]:
    """Yield what evaluations do not say yet of the canaries that run, where the policy asks for it."""
    from streams.findings.canaries import RUNS_QUERY
    from streams.incidents.requests.evaluated import Evaluations
    from streams.policy.policy import load_policy
    from streams.store.ask import ask_rows

    rules = load_policy(settings.policy).canary_gate.evaluations
    evaluations = Evaluations(rules)
    for run in ask_rows(settings, RUNS_QUERY) if rules else ():
        evaluations.take(EvaluationRun(**run))
    for each in canaries:
        if not each["result"] and each["step"] != "aborted" and service in (None, each["service"]):
            lacks = evaluations.unmet(each["service"], each["candidate"], each["stable"] or None, time.time_ns())
            yield from (f"{each['candidate']} of {each['service']} waits for an evaluation: {lack}" for lack in lacks)


def _publish(kafka: str | None, service: str, candidate: str, prompt: str | None, fields: dict[str, Any]) -> None:
    from schemas.identity import identity
    from streams.api.changes import checked
    from streams.audit.published import send
    from streams.incidents.requests.gate import NAME

    own = {
        "event_id": uuid.uuid4().hex, "source": "watchkeeper/cli", "service_name": service, "to_version": candidate,
        "change_id": identity(NAME, service, *filter(None, [prompt]), candidate), "gate_name": NAME, "trigger": "human",
        "subject_type": "prompt" if prompt else "model", "subject_name": prompt or service,
    }  # fmt: skip
    change = checked(own | fields, time.time_ns())
    send(load(kafka=kafka), CHANGES, change, service)
    typer.echo(change.change_id)
