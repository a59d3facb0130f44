"""``watchkeeper probe``: known attacks against a service's own guards."""

import json
import time
import uuid
from pathlib import Path
from typing import Annotated, Final

import typer

from streams.commands.options import Kafka
from streams.settings import SettingsError, load

probe_app: Final = typer.Typer(no_args_is_help=True, help="Attacks of our own, to learn what the guards miss.")

Seed = Annotated[int, typer.Option(min=0, help="Decides which, and in which order.")]
Number = Annotated[int | None, typer.Option(help="How many; all when not given.")]


@probe_app.command("list")
def list_attacks(seed: Seed = 0, count: Number = None) -> None:
    """Print attacks as JSON lines, for a service that judges them offline."""
    from streams.review.probes import attacks, chosen

    for attack in chosen(attacks(), seed, count):
        typer.echo(json.dumps({"probe_id": attack.attack_id, "category": attack.category, "text": attack.text}))


@probe_app.command()
def run(
    service: Annotated[str, typer.Option(help="The service, as its events name it.")],
    endpoint: Annotated[str | None, typer.Option(help="URL that takes {'input': text} by POST.")] = None,
    events: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What was judged offline: probe_id and guards a line."),
    ] = None,
    seed: Seed = 0,
    count: Number = None,
    kafka: Kafka = None,
) -> None:
    """Send attacks to a service, or publish what it made of them offline; what was sent is recorded either way."""
    from streams.review.probe_run import attack, publish
    from streams.review.probes import Probe, attacks, chosen, read_results, replayed

    if (endpoint is None) == (events is None):
        raise SettingsError("take one of --endpoint URL and --events FILE")
    settings, name = load(kafka=kafka), uuid.uuid4().hex[:12]
    probes = [Probe(service, name, each) for each in chosen(attacks(), seed, count)]
    if events is not None:
        results = read_results(events)
        publish(settings, list(replayed(probes, results, time.time_ns())))
        answered = sum(probe.attack.attack_id in results for probe in probes)
        typer.echo(f"run {name}: {len(probes)} attacks, {answered} of them judged")
        return
    assert endpoint is not None  # noqa: S101
    answers = attack(settings, endpoint, probes)
    for answer in answers:
        typer.echo(f"{answer.probe.probe_id}  {answer.probe.attack.category}  {answer.text}")
    failed = sum(answer.failed for answer in answers)
    typer.echo(f"run {name}: {sum(answer.arrived for answer in answers)} attacks arrived, {failed} failed")
    if failed:
        raise typer.Exit(1)
