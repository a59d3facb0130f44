"""Which model version each event counts under, as far as the event itself says.

Its owner's word (`model_version`) comes first, then the model that answered, then, where there was an answer, the model
that was asked for. A call that failed or was stopped and names no model that answered is no version of its own: whoever
knows what the service runs says the rest (`streams.watch.known`), and until then it is `UNKNOWN_VERSION`.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import GuardVerdict, Inference
from schemas.models import canonical_model
from schemas.vocabulary import WITHOUT_OUTPUT
from schemas.windows import UNKNOWN_VERSION
from streams.events.decode import Columns
from streams.events.outcomes import is_in, outcomes_of

UNKNOWN: Final = 0
"""Nothing says which version it was: the call failed, or was stopped, or a verdict came alone."""
ASKED: Final = 1
"""It was answered, and only the model that was asked for is known."""
ASKED_BESIDE: Final = 2
"""As `ASKED`, of an operation whose model is not the one that answers people."""
SAID: Final = 3
"""It was answered by the version that it names."""
SAID_BESIDE: Final = 4
"""As `SAID`, of such an operation."""
FIXED: Final = 5
"""There is nothing to find out, and nothing to learn from it."""


@dataclass(frozen=True, slots=True)
class Versions:
    """The version of each event, what it was asked for (absent where it does not say), and how far that is sure."""

    version: pa.Array
    asked: pa.Array
    sure: npt.NDArray[np.uint8]


def versions_of(columns: Columns) -> Versions:
    """Return the versions of the events of one kind."""
    table, count = columns.table, len(columns.table)
    own = _one(table.column("model_version"))
    sure = np.full(count, FIXED, np.uint8)
    if columns.kind is GuardVerdict:
        return Versions(pc.fill_null(own, UNKNOWN_VERSION), pa.nulls(count, pa.string()), sure)
    if columns.kind is not Inference:
        return Versions(pc.fill_null(own, ""), pa.nulls(count, pa.string()), sure)
    outcomes = outcomes_of(table)
    answered = ~(outcomes.error | outcomes.blocked | outcomes.filtered | outcomes.cancelled | outcomes.limited)
    said = pc.coalesce(own, canonical(table.column("response_model")))
    asked = canonical(table.column("request_model"))
    named = pc.is_valid(said).to_numpy(zero_copy_only=False)
    beside = is_in(table, "operation_name", WITHOUT_OUTPUT)
    sure[answered] = np.where(named, SAID, ASKED)[answered] + beside[answered]
    sure[~answered & ~named] = UNKNOWN
    sure[outcomes.wrapper] = np.where(named[outcomes.wrapper], FIXED, UNKNOWN)
    return Versions(_filled(pc.coalesce(said, asked), sure), asked, sure)


def counted_version(columns: Columns) -> pa.Array:
    """Return the version of each event, `UNKNOWN_VERSION` where it takes more than the event to know it."""
    return versions_of(columns).version


def canonical(column: pa.ChunkedArray) -> pa.Array:
    """Return the names that models count under; each distinct one is looked at once."""
    models = _one(column)
    if models.null_count == len(models):
        return models.cast(pa.string())
    encoded = models.dictionary_encode()
    names = pa.array([canonical_model(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return names.take(encoded.indices)


def _filled(version: pa.Array, sure: npt.NDArray[np.uint8]) -> pa.Array:
    return pc.if_else(pa.array(sure == UNKNOWN), pa.scalar(UNKNOWN_VERSION), pc.fill_null(version, ""))


def _one(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks().cast(pa.string())
