"""Whether a week may be played to services that run elsewhere."""

from typing import Final

from schemas.topics import TOPICS
from streams.api.client import call
from streams.kafka.topics import check_topics
from streams.settings import Settings
from streams.store.ask import ask_rows
from streams.store.client import connect
from streams.store.schema.migrate import check_schema

EVENT_TABLES: Final = ("inferences", "agent_steps", "retrievals", "telemetry")
STORED: Final = f"SELECT {' + '.join(f'(SELECT count() FROM {name})' for name in EVENT_TABLES)} AS stored"


def check_ready(settings: Settings) -> None:
    """Refuse services that are not all there, or whose store has events of its own.

    Raises
    ------
    ValueError, RuntimeError, ConnectionError
        With what to do.
    """
    check_topics(settings, TOPICS)
    if not settings.clickhouse.startswith("chdb://"):
        check_schema(connect(settings))
    if stored := int(ask_rows(settings, STORED)[0]["stored"]):
        raise ValueError(
            f"{settings.clickhouse} holds {stored} events already, and the demo counts all there are; play it to an "
            "empty installation"
        )
    call(settings, "GET", "/incidents")
