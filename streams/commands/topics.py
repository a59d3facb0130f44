"""The commands ``watchkeeper topics`` and ``watchkeeper dead-letters``."""

import json
from typing import Annotated, Final

import typer
from msgspec import to_builtins

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


@topics_app.command("acl")
def acl(
    *,
    kafka: Kafka = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            help="PARTY=User:NAME or TOPIC=User:NAME, as often as there are some; workers have names if not named."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One rule a line.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Add them at the broker, as who may do that.")] = False,
) -> None:
    """Print the access rules of Kafka that let everybody do its work and no more, as commands; nothing is changed."""
    from streams.access.rights import of_workers, rules

    settings, named = load(kafka=kafka), dict[str, list[str]]()
    for each in allow or ():
        party, _, principal = each.partition("=")
        named.setdefault(party, []).append(principal)
    found = rules(settings, of_workers(settings) | named)
    if apply:
        from streams.kafka.rules import apply as brought

        typer.echo(f"{brought(settings, found)} access rules are there")
        return
    for rule in found:
        typer.echo(json.dumps(to_builtins(rule)) if as_json else rule.command(settings.kafka))


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
    topic: Annotated[str | None, typer.Option(help="Only those that were refused in this topic, by its name.")] = None,
    *,
    twice: Annotated[bool, typer.Option("--twice", help="Also those that were sent again before.")] = False,
) -> None:
    """Send refused records to their topics again, after what refused them was mended; each once."""
    from streams.kafka.letters import send_again

    sent = send_again(load(kafka=kafka), reason, topic, twice=twice)
    left = f"; {sent.before} that were sent before are left out (--twice)" if sent.before else ""
    typer.echo(f"sent {sent.records} records again{left}")
