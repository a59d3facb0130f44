"""Minutes and hours recomputed for one Kafka partition: right whatever was killed, lost or repeated.

Minutes come from the base rows of the partition, hours from its minutes. Both are whole again after every batch, so
that a repeat or a half-done insert is put right by the next one.
"""

from collections.abc import Iterable
from typing import Final

from clickhouse_connect.driver.client import Client

from schemas.categories import FAMILIES
from schemas.guards import FLAGGING_VERDICTS
from schemas.metrics import RATES
from schemas.sql import literal, query
from schemas.vocabulary import WRAPPERS
from streams.store.client import WRITE

HOUR: Final = 3_600
NAME_SEPARATOR: Final = "\x1f"
"""Between the guards in a key of `outputs_by_guards`: no name can hold it and still be one a person wrote."""

_RATES: Final = tuple(rate.name for rate in RATES)
_RECOMPUTED: Final = (
    "service_minutes", "category_minutes", "stage_minutes", "probe_minutes", "service_hours", "stage_hours",
)  # fmt: skip
"""Queries in their order: hours come from minutes."""


def recompute(
    client: Client, topic_id: str, partition: int, minutes: Iterable[int], version: int, *, several_writers: bool
) -> None:
    """Compute minutes anew, and then their hours.

    Parameters
    ----------
    topic_id, partition
        Whose base rows to read, and which rows of the rollups to write.
    minutes
        Starts of the minutes, in Unix seconds.
    version
        The offset up to which the base rows are stored; the highest version of a row is the one that counts.
    several_writers
        Whether another process, thought dead, may have stored a row as well: reads then merge rows of one offset.
    """
    chosen = sorted(minutes)
    hours = sorted({minute - minute % HOUR for minute in chosen})
    parameters = {
        "topic_id": topic_id,
        "partition": partition,
        "version": version,
        "minutes": chosen,
        "hours": hours,
        "first": hours[0],
        "end": hours[-1] + HOUR,
        "flagging": sorted(FLAGGING_VERDICTS),
        "attacks": [code for code, family in FAMILIES.items() if family == "injection"],
        "unsafe": [code for code, family in FAMILIES.items() if family == "unsafe"],
    }
    final = "FINAL" if several_writers else ""
    for name in _RECOMPUTED:
        client.command(
            query(
                "streams.history",
                name,
                final=final,
                rates=_RATES,
                error_bit=_RATES.index("error"),
                separator=NAME_SEPARATOR,
                wrappers=", ".join(map(literal, WRAPPERS)),
            ),
            parameters=parameters,
            settings=WRITE,
        )
