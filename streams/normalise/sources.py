"""Which topics hold whose telemetry, and what a record of one that is not OTLP becomes."""

from typing import Any, Final

import msgspec

from schemas.topics import LITELLM, OTLP_LOGS, OTLP_SPANS, Topic
from schemas.wire import InvalidRecordError, refuse_shape
from streams.dialects.otlp import Signal
from streams.dialects.registry import UnknownDialectError, dialect_named, dialect_of
from streams.dialects.translation import Event
from streams.settings import Settings, SettingsError

OTLP: Final[dict[str, Signal]] = {OTLP_SPANS.name: "traces", OTLP_LOGS.name: "logs"}
"""The signal of each topic that the Collector's exporter writes."""

MOST_BYTES: Final = 2_097_152
MOST_PARTS: Final = 400_000


def sources(settings: Settings) -> dict[str, str]:
    """Return the dialect of each topic that holds records of others, beside OTLP; empty where their shape tells.

    Raises
    ------
    SettingsError
        Where one has no name, names a dialect that there is not, or is bound to nobody.
    """
    found = {LITELLM.name: "litellm"}
    for name, dialect in settings.dialects.items():
        if not name:
            text = f"'={dialect}' names no topic; write TOPIC or TOPIC=DIALECT"
            raise SettingsError(f"WATCHKEEPER_TELEMETRY_TOPICS: {text}")
        try:
            if dialect:
                dialect_named(dialect)
        except UnknownDialectError as error:
            raise SettingsError(f"WATCHKEEPER_TELEMETRY_TOPICS: {error}") from None
        found[name] = dialect
    if unnamed := [name for name, services in settings.bound.items() if "" in services]:
        text = f"{unnamed[0]} is bound to a service without a name; write TOPIC=DIALECT:SERVICE, several with +"
        raise SettingsError(f"WATCHKEEPER_TELEMETRY_TOPICS: {text}")
    return found


def named_topics(settings: Settings) -> tuple[Topic, ...]:
    """Return the topics that the settings name, as they are: they are others'."""
    return tuple(
        Topic(name=name, key="", partitions=1, retention_ms=-1, timestamp=None)
        for name in sources(settings)
        if name != LITELLM.name
    )


def translated(value: bytes, dialect: str) -> list[Event]:
    """Return the events of a record of another system: one object, or an array of them.

    Raises
    ------
    InvalidRecordError, UnknownDialectError
        Where it is none, or in no dialect that is known. Both are `ValueError`.
    """
    refuse_shape(value, MOST_BYTES, MOST_PARTS)
    try:
        whole: Any = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecordError("not_json", str(error)) from None
    return [
        event
        for record in (whole if isinstance(whole, list) else [whole])
        for event in (dialect_named(dialect) if dialect else dialect_of(record)).translate(record).events
    ]
