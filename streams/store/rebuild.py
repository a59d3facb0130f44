"""Has history read everything again that Kafka holds, so that it stores what the store has not."""

import time
from collections.abc import Callable
from typing import Any, Final

from kafka.errors import KafkaError

from streams.kafka.topics import KafkaUnavailableError, admin
from streams.local.reached import reached
from streams.settings import Settings
from streams.store.ask import endpoint_answers
from streams.store.client import connect
from streams.store.parts import Part, put_aside

POLL_SECONDS: Final = 1.0
Say = Callable[[str], object]


class HistoryRunsError(RuntimeError):
    """History runs, and would commit its offsets again."""


def rebuild(settings: Settings, say: Say) -> None:
    """Forget what history has acknowledged; its next start reads from the beginning and leaves out what is stored.

    Parameters
    ----------
    say
        Is told what happens.

    Raises
    ------
    HistoryRunsError
        Where a history worker runs.
    KafkaUnavailableError
        Where no broker answers and there is none of this machine to start.
    """
    embedded = settings.clickhouse.startswith("chdb://")
    if embedded and endpoint_answers(settings):
        raise HistoryRunsError("history runs and holds the store; stop it (or `watchkeeper up`) first")
    with reached(settings, say) as here:
        group = f"{here.topic_prefix}watchkeeper-history"
        with admin(here) as client:
            _await_empty(client, group, 2 * here.kafka_session_seconds + 10, say)
            if embedded:
                _put_aside(here, say)
            existing = client.list_group_offsets({group: None})[group]
            if existing:
                client.delete_groups([group])
    again = sum(int(meta.offset) for meta in existing.values())
    say(
        f"history will read {len(existing)} partitions from the beginning, up to {again} records that it has "
        "acknowledged; what is stored is left out. Start it (or `watchkeeper up`), and see `watchkeeper verify`"
    )


def _put_aside(settings: Settings, say: Say) -> None:
    with connect(settings) as client:
        parts: list[Part] = put_aside(client)
    for table, name in parts:
        say(f"put aside a part that can't be read: {table} {name}")


def _await_empty(client: Any, group: str, seconds: float, say: Say) -> None:
    """Wait until the group has no members; one that was killed counts as one until its session ends."""
    end, told = time.monotonic() + seconds, False
    while members := _members(client, group):
        if time.monotonic() > end:
            raise HistoryRunsError(
                f"history runs ({', '.join(members)} of {group}); stop it first, then run this command again"
            )
        if not told:
            left = ", ".join(members)
            say(f"waiting up to {seconds:.0f} s for {left} to leave: Kafka keeps one that was stopped a while")
            told = True
        time.sleep(POLL_SECONDS)


def _members(client: Any, group: str) -> list[str]:
    try:
        described = client.describe_groups([group])[group]
    except KafkaError as error:
        raise KafkaUnavailableError(f"Kafka does not say who reads as {group}: {error}") from error
    return [str(member["group_instance_id"] or member["member_id"]) for member in described["members"]]
