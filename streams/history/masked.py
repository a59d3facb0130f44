"""Rows about direct identifiers that were taken out of records: in which field of whose, of which kind, never which."""

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from schemas.tables import MASKED
from streams.events.decode import Columns, Decoded, Masked
from streams.health.metrics import MASKED as COUNTED
from streams.history.columns import INSTANT
from streams.history.rows import Origin, Rows, with_origin

_NAMED = ("service_name", "source", "tenant_id")


def masked_rows(decoded: Decoded, origin: Origin) -> Iterator[Rows]:
    """Yield a row for each field of each record that held identifiers of a kind."""
    if not decoded.masked:
        return
    for columns in decoded.kinds.values():
        own = set(columns.position.tolist())
        if found := sorted((each for each in decoded.masked if each.position in own), key=lambda each: each.position):
            yield _rows(columns, found, origin)


def count(masked: Iterable[Masked]) -> None:
    """Add to the metric of what was taken out."""
    for each in masked:
        COUNTED.labels(each.seen.field, each.seen.kind).inc(each.seen.number)


def _rows(columns: Columns, found: list[Masked], origin: Origin) -> Rows:
    row = np.searchsorted(columns.position, [each.position for each in found])
    offset = origin.offsets[columns.position[row]]
    first = np.searchsorted(offset, offset)  # rows come in order: where each record's begin
    index = np.arange(len(found)) - first
    time = columns.table.column("time_unix_nano").to_numpy()[row]
    named = [columns.table.column(name).take(pa.array(row)).combine_chunks().fill_null("") for name in _NAMED]
    said = (
        pa.array([each.seen.field for each in found]),
        pa.array([each.seen.kind for each in found]),
        pa.array([each.seen.number for each in found], pa.uint32()),
    )
    table = pa.Table.from_arrays([pa.array(time).cast(INSTANT), *named, *said],
                                 names=["time", *_NAMED, "field", "kind", "number"])  # fmt: skip
    return Rows(MASKED, with_origin(table, origin, offset, index), offset, index, time)
