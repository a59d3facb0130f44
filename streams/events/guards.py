"""Guard results of a batch, flattened: which of them speak, what they object to, and what was stopped.

A result *counts* where the guard ran and gave a verdict that is known, and is not in shadow. One that ran and gave none
is unsure: neither clean nor covered, unless its native value says what it thought (`schemas.native_verdicts`). Half a
verdict (`partial`) counts where it objects, and covers nothing.

A finding counts where its guard objects and it is *positive*: severity 0, a count of 0, a score below its threshold,
or a bucket that says "none" stand for what was looked for and not found. An objection that names nothing positive
stands as one finding without a category.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.events import GuardVerdict
from schemas.guards import FLAGGING_VERDICTS, NOTHING_FOUND, STOPPING_ACTIONS
from streams.events.decode import Columns
from streams.events.doubt import unsure_results
from streams.events.native import with_native_verdicts

RowNumbers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Guards:
    """The guard results of a batch, flattened: the event row of each, and what it amounts to.

    `sure` ones gave a verdict that counts, `unsure` ones said nothing, or something in words that nobody here knows;
    `flagging` ones object, `stopping` ones are enforcing and kept the content from whom it was for, `bare` ones object
    without a finding that is positive. Of the findings, `finding_counts` are those that are positive.
    """

    row: RowNumbers
    status: pa.Array
    result: pa.Array
    sure: Bools
    unsure: Bools
    flagging: Bools
    stopping: Bools
    bare: Bools
    finding_row: RowNumbers
    finding_category: pa.Array
    finding_severity: RowNumbers
    finding_score: npt.NDArray[np.float64]
    finding_counts: Bools
    finding_stopped: Bools


@dataclass(frozen=True, slots=True)
class Objections:
    """What guards object to: a finding that is positive, or a result that names none.

    For each its guard result, the number of its category in `codes` ("" where it names none), its severity (0 where
    that is not said), and whether it was stopped.
    """

    result: RowNumbers
    code: RowNumbers
    codes: list[str]
    severity: RowNumbers
    stopped: Bools


def objections(guards: Guards, unserved: Bools) -> Objections:
    """Return what guards object to.

    Parameters
    ----------
    unserved
        For each event, whether what it says reached nobody.
    """
    found, bare = np.flatnonzero(guards.finding_counts), np.flatnonzero(guards.bare)
    code, codes = encoded(guards.finding_category)
    none = np.full(len(bare), len(codes), np.int64)
    return Objections(
        result=np.concatenate([guards.finding_row[found], bare]),
        code=np.concatenate([code[found], none]),
        codes=[*codes, ""],
        severity=np.concatenate([guards.finding_severity[found], np.zeros(len(bare), np.int64)]),
        stopped=np.concatenate([guards.finding_stopped[found], guards.stopping[bare] | unserved[guards.row[bare]]]),
    )


def flatten_guards(columns: Columns) -> Guards:
    """Return all guard results of the events, in order, with their findings."""
    row, result = _results(columns)
    if not len(result):
        return _no_guards(row, result)
    result = with_native_verdicts(result)
    unsure = unsure_results(result)
    objects = values(result, "verdict", tuple(FLAGGING_VERDICTS))
    speaks = values(result, "status", ("ok",)) | (values(result, "status", ("partial",)) & objects)
    counts = speaks & ~values(result, "mode", ("shadow",)) & ~unsure
    flagging = counts & objects
    stopping = flagging & values(result, "action", tuple(STOPPING_ACTIONS)) & ~values(result, "mode", ("monitor",))
    findings = pc.struct_field(result, "findings")
    parent = pc.list_parent_indices(findings).to_numpy().astype(np.int64)
    items = pc.list_flatten(findings)
    positive = flagging[parent] & ~_nothing(items)
    bare = flagging.copy()
    bare[parent[positive]] = False
    return Guards(
        row=row,
        status=pc.struct_field(result, "status"),
        result=result,
        sure=counts,
        unsure=unsure,
        flagging=flagging,
        stopping=stopping,
        bare=bare,
        finding_row=parent,
        finding_category=pc.fill_null(pc.struct_field(items, "category"), ""),
        finding_severity=pc.fill_null(pc.struct_field(items, "severity"), 0).to_numpy(zero_copy_only=False),
        finding_score=_probabilities(items),
        finding_counts=positive,
        finding_stopped=positive & stopping[parent],
    )


def _no_guards(row: RowNumbers, result: pa.Array) -> Guards:
    words, numbers, none = pa.array([], pa.string()), np.empty(0, np.int64), np.empty(0, bool)
    return Guards(row, words, result, none, none, none, none, none, numbers, words, numbers, np.empty(0), none, none)


def _nothing(items: pa.Array) -> Bools:
    """Tell which findings say that nothing was found."""
    severity, score = pc.struct_field(items, "severity"), pc.struct_field(items, "score")
    below = pc.less(score, pc.struct_field(items, "threshold"))
    distance = pc.fill_null(pc.equal(pc.struct_field(items, "score_kind"), "distance"), pa.scalar(False))
    bucket = pc.struct_field(items, "score_bucket")
    named = pc.is_in(pc.utf8_lower(bucket), pa.array(NOTHING_FOUND)) if bucket.null_count < len(bucket) else None
    none: Bools = _true(pc.equal(severity, 0)) | _true(pc.equal(pc.struct_field(items, "count"), 0))
    none |= _true(below) & ~_true(distance)
    return none if named is None else none | (_true(named) & ~_true(pc.greater(severity, 0)))


def _true(column: pa.Array) -> Bools:
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    found: Bools = pc.fill_null(column, pa.scalar(False)).to_numpy(zero_copy_only=False).astype(bool)
    return found


def _probabilities(items: pa.Array) -> npt.NDArray[np.float64]:
    """Return the score of each finding where it is a probability, else NaN."""
    score = pc.struct_field(items, "score")
    probability = pc.equal(pc.struct_field(items, "score_kind"), "probability")
    kept = pc.if_else(pc.fill_null(probability, pa.scalar(False)), score, pa.scalar(None, pa.float64()))
    scores: npt.NDArray[np.float64] = kept.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return scores


def _results(columns: Columns) -> tuple[RowNumbers, pa.Array]:
    if columns.kind is GuardVerdict:
        return np.arange(len(columns.table), dtype=np.int64), columns.table.column("guard").combine_chunks()
    if "guards" not in columns.table.column_names:
        return np.empty(0, np.int64), pa.array([], pa.struct([]))
    lists = columns.table.column("guards").combine_chunks()
    return pc.list_parent_indices(lists).to_numpy().astype(np.int64), pc.list_flatten(lists)


def encoded(words: pa.Array) -> tuple[RowNumbers, list[str]]:
    """Return the number of each word, and the words."""
    numbered = words.dictionary_encode()
    return numbered.indices.to_numpy().astype(np.int64), numbered.dictionary.to_pylist()


def values(result: pa.Array, name: str, known: tuple[str, ...]) -> Bools:
    """Tell which results have one of some words in a field."""
    found: Bools = pc.is_in(pc.struct_field(result, name), pa.array(known)).to_numpy(zero_copy_only=False)
    return found
