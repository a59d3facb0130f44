"""What measurements of a store begin with: events in it, and what a process takes."""

import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from streams.events.decode import events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from tests.streams.events.test_decode import Record


def store(writer: HistoryWriter, values: Sequence[bytes], first: int) -> None:
    """Store events as the history worker does.

    Parameters
    ----------
    values
        The events as they travel.
    first
        Offset of the first.
    """
    records = [Record(value, time.time_ns() // 1_000_000) for value in values]
    origin = Origin("inference.v1", "id", 0, np.arange(first, first + len(records)))
    decoded = events_decoder()(records)
    writer.write(origin, [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)])


def megabytes(pid: int | str = "self", what: str = "RssAnon") -> float:
    """Return what a process takes, in MB; unless another line of its status is named, what no file gives back."""
    found = re.search(rf"^{what}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else float("nan")
