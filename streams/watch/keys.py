"""By what names a verdict that travels alone and the event that it judged find each other."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import GuardVerdict, Inference, Telemetry
from streams.events.decode import Columns
from streams.events.hashing import hash_texts, mixed
from streams.watch.batches import KEYS, UInt64s

_SEPARATOR: Final = "\x1f"


def keys_of(columns: Columns) -> UInt64s:
    """Return the keys of each event, those of what it judged for a verdict; a column a way, 0 where there is none.

    An event's id is the producer's and holds within a service; a response's id and a span are unique by themselves.
    """
    table, alone = columns.table, columns.kind is GuardVerdict
    keys = np.zeros((len(table), KEYS), np.uint64)
    if columns.kind is Telemetry:
        return keys
    own = ["service_name", "target_event_id" if alone else "event_id"]
    response = ["target_id"] if alone else ["response_id"] if columns.kind is Inference else []
    for way, names in enumerate((own, response, ["trace_id", "span_id"])):
        parts = [table.column(name) for name in names]
        if not parts or any(part.null_count == len(part) for part in parts):
            continue
        _fill(keys, way, parts)
    return keys


def _fill(keys: UInt64s, way: int, parts: Sequence[pa.ChunkedArray]) -> None:
    text = pc.binary_join_element_wise(*parts, _SEPARATOR).combine_chunks()  # null where a part is
    there = np.array(pc.is_valid(text), bool)
    keys[there, way] = mixed(hash_texts(text.drop_null()), way) | np.uint64(1)
