"""The commands ``watchkeeper topics`` and ``watchkeeper dead-letters``."""

import json
from typing import Annotated, Final

import typer

from streams.commands.options import Kafka
from streams.settings import load

topics_app: Final = typer.Typer(no_args_is_help=True, help="Kafka topics.")
letters_app: Final = typer.Typer(no_args_is_help=True, help="Records that were refused.")


@topics_app.command("create")
def create(
    kafka: Kafka = None,
    partitions: Annotated[int | None, typer.Option(min=1, help="Partitions of inference.v1.")] = None,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
) -> None:
    """Create the topics that are missing."""
    from streams.kafka.topics import create_topics

    created = create_topics(load(kafka=kafka), partitions, replication)
    typer.echo("\n".join(f"created {name}" for name in created) or "nothing to do")


@letters_app.command("list")
def list_letters(kafka: Kafka = None, limit: Annotated[int, typer.Option(min=1)] = 50) -> None:
    """List refused records, newest last, with their reasons."""
    from streams.kafka.letters import read_letters

    for letter in read_letters(load(kafka=kafka))[-limit:]:
        typer.echo(json.dumps(letter.summary()))


@letters_app.command("replay")
def replay_letters(
    kafka: Kafka = None,
    reason: Annotated[str | None, typer.Option(help="Only those refused for this reason.")] = None,
) -> None:
    """Send refused records to their topics again, after what refused them was mended."""
    from streams.kafka.letters import send_again

    typer.echo(f"sent {send_again(load(kafka=kafka), reason)} records again")
