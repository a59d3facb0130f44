"""``watchkeeper probe``: known attacks against a service's own guards."""

import json
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.commands.options import Kafka
from streams.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from streams.review.probe_run import Answer
    from streams.review.probes import Probe

probe_app: Final = typer.Typer(no_args_is_help=True, help="Attacks of our own, to learn what the guards miss.")

Seed = Annotated[int, typer.Option(min=0, help="Decides which, and in which order.")]
Service = Annotated[str, typer.Option(help="The service, as its events name it.")]
Structured = Annotated[
    bool, typer.Option("--structured", help="Send documents, tool_results and turns as such, not as one text.")
]
_URL: Final = "URL that takes {'input': text} by POST."
Number = Annotated[int | None, typer.Option(help="How many; all when not given.")]


@probe_app.command("list")
def list_attacks(seed: Seed = 0, count: Number = None) -> None:
    """Print attacks as JSON lines, for a service that judges them offline."""
    from streams.review.probes import attacks, chosen

    for attack in chosen(attacks(), seed, count):
        told = {"probe_id": attack.attack_id, "category": attack.category, "family": attack.family, "text": attack.text}
        typer.echo(json.dumps(told | dict(attack.parts)))


@probe_app.command()
def run(
    service: Service,
    endpoint: Annotated[str | None, typer.Option(help=_URL)] = None,
    events: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="What was judged offline: probe_id and guards a line."),
    ] = None,
    seed: Seed = 0,
    count: Number = None,
    structured: Structured = False,  # noqa: FBT002
    kafka: Kafka = None,
) -> None:
    """Send attacks to a service, or publish what it made of them offline; what was sent is recorded either way."""
    from streams.review.probe_run import attack
    from streams.review.probes import Probe, attacks, chosen

    if (endpoint is None) == (events is None):
        raise SettingsError("take one of --endpoint URL and --events FILE")
    settings, name = load(kafka=kafka), _run()
    probes = [Probe(service, name, each) for each in chosen(attacks(), seed, count)]
    if events is not None:
        _offline(settings, events, probes)
    elif endpoint is not None:
        _tell(attack(settings, endpoint, probes, structured=structured))


@probe_app.command()
def rotate(
    service: Service,
    endpoint: Annotated[str, typer.Option(help=_URL)],
    every: Annotated[str, typer.Option(help="From the begin of a round to that of the next: 30m, 1h, 1d.")] = "1h",
    count: Annotated[int, typer.Option(help="Attacks of a round.")] = 7,
    rounds: Annotated[int | None, typer.Option(min=1, help="End after so many; 1 is for cron.")] = None,
    seed: Seed = 0,
    structured: Structured = False,  # noqa: FBT002
    kafka: Kafka = None,
) -> None:
    """Send other attacks each round, of as many families as fit, until it is told to stop."""
    from schemas.durations import seconds
    from streams.review.probe_run import schedule
    from streams.review.probes import Probe, attacks, rotated

    known = attacks()

    def due(number: int) -> list[Probe]:
        name = _run()
        return [Probe(service, name, each) for each in rotated(known, seed, number, count)]

    for answers in schedule(load(kafka=kafka), endpoint, due, seconds(every), rounds, structured=structured):
        _tell(answers, end=rounds == 1)


def _run() -> str:
    return uuid.uuid4().hex[:12]


def _offline(settings: Settings, events: Path, probes: "list[Probe]") -> None:
    """Publish what a service made of attacks offline."""
    from streams.review.probe_run import publish
    from streams.review.probes import read_results, replayed

    results = read_results(events)
    publish(settings, list(replayed(probes, results, time.time_ns())))
    answered = sum(probe.attack.attack_id in results for probe in probes)
    typer.echo(f"run {probes[0].run}: {len(probes)} attacks, {answered} of them judged")


def _tell(answers: "list[Answer]", *, end: bool = True) -> None:
    """Print how a run ended; `end` the command with an error where the service did not answer all of it."""
    for answer in answers:
        typer.echo(f"{answer.probe.probe_id}  {answer.probe.attack.family}  {answer.text}")
    unreachable = sum(not answer.reached for answer in answers)
    typer.echo(f"run {answers[0].probe.run}: {len(answers) - unreachable} attacks answered, {unreachable} unreachable")
    if unreachable and end:
        raise typer.Exit(1)
