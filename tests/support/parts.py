"""Events of one tick as the watch worker holds them."""

import numpy as np
import pyarrow as pa

from streams.events.flags import BIT
from streams.events.labels import NOTHING
from streams.events.versions import FIXED
from streams.watch.batches import KEYS, MEASURES, Batch, EventColumns, Shown
from streams.watch.blocks import Chosen, block_of

SCORE = MEASURES.index("guard_score")
TRIALS = BIT["error"] | BIT["unsafe_attempted"]


def measured(count, **columns):
    """Return the measures of so many events: those named, NaN for the others."""
    measures = np.full((count, len(MEASURES)), np.nan, np.float32)
    for name, values in columns.items():
        measures[:, MEASURES.index(name)] = values
    return measures


def part(first, measures, group=("t", "a", "m", ""), **more):
    """Return events of one tick with their measures, numbered from `first`; `more` are other columns."""
    count = len(measures)
    zeros = np.zeros(count, np.int64)
    columns = {
        "time": np.full(count, 1_770_000_000_000_000_000), "row": np.arange(count), "group": zeros,
        "session": zeros.astype(np.uint64), "trace": zeros.astype(np.uint64),
        "trials": np.full(count, TRIALS, np.uint32), "flagged": zeros.astype(np.uint32),
        "call": np.ones(count, np.uint8), "measures": measures, "late": zeros.astype(np.uint8),
        "counted": np.ones(count, np.uint8), "risk": np.zeros(count, np.float32), "source": zeros,
        "asked": zeros - 1, "sure": np.full(count, FIXED, np.uint8), "keys": np.zeros((count, KEYS), np.uint64),
        "role": zeros.astype(np.uint8),
    }  # fmt: skip
    events = EventColumns(**columns | more)
    ids = pa.array([f"e{first + number}" for number in range(count)], pa.string())
    shown = Shown(ids, pa.nulls(count, pa.string()), pa.nulls(count, pa.string()))
    return Batch(events, [group], NOTHING, NOTHING, (), shown, ["s"])


def block(tick, parts):
    """Return a tick of such parts, as if it had closed by itself."""
    return block_of(
        [Chosen(each, np.arange(len(each.events.time)), np.full(len(each.events.time), tick)) for each in parts], {}
    )
