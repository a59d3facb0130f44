"""What a foreign record became."""

from dataclasses import dataclass
from typing import Any

Event = dict[str, Any]
"""An event as it travels on `inference.v1`: plain values, absent fields left out."""


@dataclass(frozen=True, slots=True)
class Translation:
    """One record of another system's telemetry, in the words of the contract.

    Parameters
    ----------
    dialect
        The name of what it was taken for; `canonical` for an event that was one already.
    events
        Of the contract, in the order in which they happened. The same record gives the same `event_id`s.
    dropped
        Paths of what was known and has no place in the contract, text among it; values are never repeated.
    warnings
        What looks like one thing and may be another, each a sentence that says what to do.
    """

    dialect: str
    events: tuple[Event, ...] = ()
    dropped: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
