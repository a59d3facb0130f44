"""How calls ended, told from all that their events say of it.

What a guard or the provider stopped, a limit turned away, or its caller broke off, is no error, whatever type of error
it came with; what reports a block or a filter as an error is told by the type. Of several choices the worst stands for
the call: one that was filtered makes it a filtered call, one that was a refusal a refused one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.vocabulary import WITHOUT_OUTPUT, WRAPPERS
from streams.events.stops import RANK, stopped_by_error, stopped_by_reason

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of each call, whether it ended in this way; at most one of the first four.

    `cancelled` and `limited`, which a limit turned away, are beside none of them.
    `wrapper` marks runs of an agent, `output` calls that made something for people, and `superseded` attempts that
    another one followed.
    """

    error: Bools
    blocked: Bools
    filtered: Bools
    refused: Bools
    cancelled: Bools
    limited: Bools
    wrapper: Bools
    output: Bools
    superseded: Bools


def outcomes_of(table: pa.Table) -> Outcomes:
    """Return how the calls of a table of inferences ended."""
    blocked, filtered, refused = (is_in(table, "outcome", (word,)) for word in ("blocked", "filtered", "refused"))
    failed, cancelled, limited = (is_in(table, "outcome", (word,)) for word in ("error", "cancelled", "rate_limited"))
    told = present(table, "error_type") & ~(blocked | filtered | refused | cancelled | limited)
    by_type = stopped_by_error(table.column("error_type"))
    blocked |= told & (by_type == RANK["blocked"])
    filtered |= told & (by_type == RANK["filtered"])
    refused |= told & (by_type == RANK["refused"])
    error = (failed | told) & ~(told & (by_type > 0))
    by_reason = stopped_by_reason(table.column("finish_reason_norm"), table.column("finish_reasons"))
    left = ~(error | blocked | filtered | refused | limited)
    blocked |= left & (by_reason == RANK["blocked"])
    filtered |= left & (by_reason == RANK["filtered"])
    refused |= left & (by_reason == RANK["refused"])
    wrapper = is_in(table, "operation_name", WRAPPERS)
    output = ~(error | cancelled | limited | wrapper | _is_in_small(table, "operation_name", WITHOUT_OUTPUT))
    superseded = _true(table.column("superseded"))
    return Outcomes(error, blocked, filtered, refused, cancelled, limited, wrapper, output, superseded)


def no_call(table: pa.Table) -> Bools:
    """Tell which inferences are no calls of their own: runs of an agent, and attempts that another one followed."""
    return is_in(table, "operation_name", WRAPPERS) | _true(table.column("superseded"))


def _true(column: pa.ChunkedArray) -> Bools:
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    found: Bools = pc.fill_null(column, pa.scalar(False)).to_numpy().astype(bool)
    return found


def not_served(table: pa.Table, outcomes: Outcomes) -> tuple[Bools, Bools]:
    """Return which answers reached nobody, and which requests were stopped altogether."""
    column = table.column("reached_user")
    seen, unseen = (pc.fill_null(pc.equal(column, pa.scalar(value)), pa.scalar(False)) for value in (True, False))
    stopped = (outcomes.blocked | outcomes.filtered | outcomes.limited) & ~np.array(seen, bool)
    return stopped | np.array(unseen, bool), stopped


def is_in(table: pa.Table, name: str, values: Sequence[str]) -> Bools:
    """Tell which rows have one of some words in a column."""
    column = table.column(name)
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    found: Bools = pc.is_in(column, pa.array(values, pa.string())).to_numpy(zero_copy_only=False)
    return found


def _is_in_small(table: pa.Table, name: str, values: tuple[str, ...]) -> Bools:
    column = table.column(name)
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    found: Bools = pc.is_in(pc.utf8_lower(column), pa.array(values)).to_numpy(zero_copy_only=False)
    return found


def present(table: pa.Table, name: str) -> Bools:
    """Tell which rows have anything in a column."""
    column = table.column(name)
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    there: Bools = pc.is_valid(column).to_numpy()
    return there
