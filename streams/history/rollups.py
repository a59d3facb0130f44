"""Minutes and hours recomputed for each Kafka partition by itself: right whatever was killed, lost or repeated.

Minutes come from the base rows of the partition, hours from its minutes. Both are whole again after every commit, so
that a repeat or a half-done insert is put right by the next one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import pyarrow.compute as pc
from clickhouse_connect.driver.client import Client

from schemas.fields import NANO
from schemas.guards import FLAGGING_VERDICTS, STOPPING_ACTIONS
from schemas.metrics import RATES
from schemas.sql import literal, query
from schemas.vocabulary import WRAPPERS
from streams.events.flags import OUTPUT_BIT
from streams.history.rows import Rows
from streams.history.touched import Touched
from streams.store.client import WRITE, rows

NAME_SEPARATOR: Final = "\x1f"
"""Between the guards in a key of `outputs_by_guards`: no name can hold it and still be one a person wrote."""

IN_ROLLUPS: Final = frozenset({"inferences", "agent_steps", "retrievals", "guard_verdicts"})
"""Tables whose rows are counted."""

_RATES: Final = tuple(rate.name for rate in RATES)


def recompute(client: Client, touched: Touched, rollups: Iterable[str], *, several_writers: bool) -> None:
    """Compute the minutes that were touched anew, and then the hours.

    Parameters
    ----------
    rollups
        Names of the tables, in the order in which `touched_rollups` has them.
    several_writers
        Whether another process, thought dead, may have stored a row as well: reads then merge rows of one offset.
    """
    parameters = touched.parameters() | {
        "flagging": sorted(FLAGGING_VERDICTS),
        "stopping": sorted(STOPPING_ACTIONS),
    }
    for name in rollups:
        text = query(
            "streams.history",
            name,
            final="FINAL" if several_writers else "",
            rates=_RATES,
            error_bit=_RATES.index("error"),
            output_bit=OUTPUT_BIT.bit_length() - 1,
            separator=NAME_SEPARATOR,
            wrappers=", ".join(map(literal, WRAPPERS)),
        )
        client.command(text, parameters=parameters, settings=WRITE)


def kept_from(client: Client) -> int:
    """Return from when on events are kept, in Unix nanoseconds: nothing older is summed any more."""
    [(kept,)] = rows(client, query("streams.history", "kept", of="events"))
    return int(kept) * NANO


def without_columns(rows: Rows) -> Rows:
    """Return rows without all that rollups do not ask of them once they are stored."""
    kept = [name for name in ("findings_category", "probe_id") if name in rows.columns.column_names]
    return replace(rows, columns=rows.columns.select(kept))


def touched_rollups(rows: Sequence[Rows]) -> list[str]:
    """Return which rollups rows change: hours after their minutes, categories and probes where a row has some."""
    findings = any(_longest(part, "findings_category") for part in rows)
    probes = any(_longest(part, "probe_id") for part in rows)
    return [
        "service_minutes",
        "stage_minutes",
        *(["category_minutes"] if findings else []),
        *(["probe_minutes"] if probes else []),
        "service_hours",
        "stage_hours",
    ]


def _longest(rows: Rows, name: str) -> int:
    """Return the length of the longest text or list of a column; 0 where it is left out."""
    if name not in rows.columns.column_names:
        return 0
    column = rows.columns.column(name)
    length = pc.binary_length if name == "probe_id" else pc.list_value_length
    return int(pc.max(length(column)).as_py() or 0)
