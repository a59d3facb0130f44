"""Events that are of the contract already."""

from typing import Any

from streams.dialects.translation import Translation

NAME = "canonical"


def knows(record: dict[str, Any]) -> bool:
    """Tell whether a record names a kind of event as the contract does."""
    return str(record.get("event_type", "")).startswith("ai.safety.")


def translate(record: dict[str, Any]) -> Translation:
    """Return the event as it stands; whether it is acceptable the contract decides."""
    return Translation(NAME, ({name: value for name, value in record.items() if name != "written_ms"},))
