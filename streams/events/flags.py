"""What is unsafe about each event, once for everyone who counts: history's rows and watch's sums.

Only results of guards that ran (`status` ok) and that are not in shadow say anything. Content was *stopped*
when an enforcing guard took one of `schemas.guards.STOPPING_ACTIONS`. A probe is an attack of our own: it is a
trial of nothing, flagged for nothing, and none of its findings counts.

A word that nobody here knows is neither safe nor unsafe: where a rate depends on it and nothing else says what it
is, the event is no trial of that rate, flagged or not (a trial only when flagged would make every rate 100 %).
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.categories import FAMILIES
from schemas.events import AgentStep, GuardVerdict, Inference, Telemetry
from schemas.guards import FLAGGING_VERDICTS, STOPPING_ACTIONS
from schemas.metrics import RATES
from schemas.vocabulary import AUTHORIZATIONS, STATUSES
from streams.events.decode import Columns
from streams.events.doubt import SURE_OUTCOMES, strange_words, unsure_results

Bits = npt.NDArray[np.uint16]
RowNumbers = npt.NDArray[np.int64]

BIT: Final = {rate.name: 1 << index for index, rate in enumerate(RATES)}
INPUT_LAYERS: Final = ("input", "retrieval", "tool_result")
ACTION_LAYERS: Final = ("tool_call", "plan", "memory")

OVER_REFUSAL: Final = "qual.over_refusal"

_CALL_TRIALS = BIT["error"] | BIT["injection_flag"]
_OUTPUT_TRIALS = BIT["unsafe_attempted"] | BIT["unsafe_served"] | BIT["refusal"] | BIT["leak"]
_JUDGED = _OUTPUT_TRIALS & ~BIT["refusal"] | BIT["injection_flag"] | BIT["denied_tool"]
"""What a guard may speak of anywhere but on an input; a refusal shows in the outcome too."""
_STEP_TRIALS = BIT["denied_tool"] | BIT["injection_flag"] | BIT["leak"]
_FAMILY_BITS: Final = {
    "unsafe": BIT["unsafe_attempted"] | BIT["unsafe_served"],
    "injection": BIT["injection_flag"],
    "leak": BIT["leak"],
    "refusal": BIT["refusal"],
    "over_refusal": BIT["over_refusal"],
    "tool": BIT["denied_tool"],
}


@dataclass(frozen=True, slots=True)
class Guards:
    """The guard results of a batch, flattened: the event row of each, and what it amounts to.

    `sure` ones gave a verdict that counts, `unsure` ones said something in words that nobody here knows.
    """

    row: RowNumbers
    status: pa.Array
    result: pa.Array
    sure: npt.NDArray[np.bool_]
    unsure: npt.NDArray[np.bool_]
    finding_row: RowNumbers
    finding_category: pa.Array
    finding_severity: RowNumbers
    finding_score: npt.NDArray[np.float64]
    finding_counts: npt.NDArray[np.bool_]
    finding_stopped: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flags:
    """For each event of a batch: which rates it is a trial of, and for which it is flagged (bits of `BIT`).

    `probe` marks the events that belong to a probe.
    """

    trials: Bits
    flagged: Bits
    guards: Guards
    probe: npt.NDArray[np.bool_]


def event_flags(columns: Columns) -> Flags:
    """Return the flags of the events of one kind.

    Parameters
    ----------
    columns
        n events as `streams.events.decode` gives them.
    """
    guards = flatten_guards(columns)
    trials, flagged = _own_flags(columns)
    _add_guard_flags(guards, flagged)
    _add_guard_health(guards, trials, flagged)
    trials &= ~_doubtful(columns, guards)
    if columns.kind is GuardVerdict:
        trials |= flagged  # the event it judged was the trial; alone it must not vanish
    else:
        flagged &= trials
    probe = _probes(columns)
    if probe.any():
        trials[probe], flagged[probe] = 0, 0
        guards = _without(guards, probe)
    return Flags(trials, flagged, guards, probe)


def _probes(columns: Columns) -> npt.NDArray[np.bool_]:
    if columns.kind is Telemetry:
        return np.zeros(len(columns.table), bool)
    return _present(columns.table, "probe_id")


def _without(guards: Guards, probe: npt.NDArray[np.bool_]) -> Guards:
    """Return guard results of which those on probes find nothing that counts."""
    users = ~probe[guards.row[guards.finding_row]]
    return replace(guards, finding_counts=guards.finding_counts & users, finding_stopped=guards.finding_stopped & users)


def _own_flags(columns: Columns) -> tuple[Bits, Bits]:
    """Return what the event itself says, before any guard."""
    table, count = columns.table, len(columns.table)
    trials, flagged = np.zeros(count, np.uint16), np.zeros(count, np.uint16)
    if columns.kind is Inference:
        failed = _is_in(table, "outcome", ("error",)) | _present(table, "error_type")
        silent = failed | _is_in(table, "outcome", ("cancelled",))
        trials |= np.where(silent, _CALL_TRIALS, _CALL_TRIALS | _OUTPUT_TRIALS).astype(np.uint16)
        trials[_is_in(table, "finish_reason_norm", ("tool_call",))] |= BIT["denied_tool"]
        flagged[failed] |= BIT["error"]
        flagged[_is_in(table, "outcome", ("refused",))] |= BIT["refusal"]
    elif columns.kind is AgentStep:
        trials |= np.uint16(_STEP_TRIALS)
        flagged[_is_in(table, "authorization", ("denied", "rejected"))] |= BIT["denied_tool"]
    return trials, flagged


def _doubtful(columns: Columns, guards: Guards) -> Bits:
    """Return of which rates an unknown word keeps each event from being a trial."""
    doubt, sure = np.zeros(len(columns.table), np.uint16), np.zeros(len(columns.table), np.uint16)
    always = np.zeros(len(columns.table), np.uint16)
    if columns.kind is Inference:
        strange = strange_words(columns.table.column("outcome"), SURE_OUTCOMES)
        always[strange] = BIT["error"] | BIT["refusal"]
        doubt[strange] = _OUTPUT_TRIALS
    elif columns.kind is AgentStep:
        word = columns.table.column("authorization")
        strange = strange_words(word, AUTHORIZATIONS)
        doubt[strange] = BIT["denied_tool"]
        sure[_is_in(columns.table, "authorization", AUTHORIZATIONS)] = BIT["denied_tool"]
    if guards.unsure.any() or (doubt.any() and guards.sure.any()):
        asked = _values(guards.result, "layer", INPUT_LAYERS)
        judged = np.where(asked, BIT["injection_flag"], _JUDGED).astype(np.uint16)
        np.bitwise_or.at(doubt, guards.row[guards.unsure], judged[guards.unsure])
        np.bitwise_or.at(sure, guards.row[guards.sure], judged[guards.sure])
    return always | (doubt & ~sure)


def _is_in(table: pa.Table, name: str, values: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    column = table.column(name)
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    found: npt.NDArray[np.bool_] = pc.is_in(column, pa.array(values)).to_numpy(zero_copy_only=False)
    return found


def _present(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    column = table.column(name)
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    present: npt.NDArray[np.bool_] = pc.not_equal(pc.fill_null(column, ""), "").to_numpy()
    return present


def flatten_guards(columns: Columns) -> Guards:
    """Return all guard results of the events, in order, with their findings."""
    row, result = _results(columns)
    if not len(result):
        return _no_guards(row, result)
    unsure = unsure_results(result)
    counts = _values(result, "status", ("ok",)) & ~_values(result, "mode", ("shadow",)) & ~unsure
    flagging = counts & _values(result, "verdict", tuple(FLAGGING_VERDICTS))
    stopped = flagging & _values(result, "action", tuple(STOPPING_ACTIONS)) & ~_values(result, "mode", ("monitor",))
    findings = pc.struct_field(result, "findings")
    parent = pc.list_parent_indices(findings).to_numpy().astype(np.int64)
    items = pc.list_flatten(findings)
    return Guards(
        row=row,
        status=pc.struct_field(result, "status"),
        result=result,
        sure=counts,
        unsure=unsure,
        finding_row=parent,
        finding_category=pc.struct_field(items, "category"),
        finding_severity=pc.fill_null(pc.struct_field(items, "severity"), 0).to_numpy(zero_copy_only=False),
        finding_score=_probabilities(items),
        finding_counts=flagging[parent],
        finding_stopped=stopped[parent],
    )


def _no_guards(row: RowNumbers, result: pa.Array) -> Guards:
    words, numbers, none = pa.array([], pa.string()), np.empty(0, np.int64), np.empty(0, bool)
    return Guards(row, words, result, none, none, numbers, words, numbers, np.empty(0), none, none)


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


def _values(result: pa.Array, name: str, values: tuple[str, ...]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.is_in(pc.struct_field(result, name), pa.array(values)).to_numpy(
        zero_copy_only=False
    )
    return found


def _add_guard_flags(guards: Guards, flagged: Bits) -> None:
    """Set the bits of each event that its guards' findings stand for.

    Hazards in the *input* are attacks or bad questions, not unsafe output: only injection is read from there.
    """
    if not guards.finding_counts.any():
        return
    chosen = np.flatnonzero(guards.finding_counts)
    parent = guards.finding_row[chosen]
    layers = pc.struct_field(guards.result, "layer").dictionary_encode()
    layer_names = layers.dictionary.to_pylist()
    layer = layers.indices.to_numpy()[parent]
    codes = guards.finding_category.dictionary_encode()
    names = codes.dictionary.to_pylist()
    table = np.array([[_bits_of(layer_name, name) for name in names] for layer_name in layer_names], np.uint16)
    bits = table[layer, codes.indices.to_numpy()[chosen]]
    bits[guards.finding_stopped[chosen]] &= 65535 - BIT["unsafe_served"]
    np.bitwise_or.at(flagged, guards.row[parent], bits)


def _add_guard_health(guards: Guards, trials: Bits, flagged: Bits) -> None:
    """Count which events asked a guard, which of these got no proper answer, and which were judged for over-refusal."""
    known = pc.is_in(guards.status, pa.array(STATUSES)).to_numpy(zero_copy_only=False).astype(bool)
    trials[guards.row[known]] |= BIT["guard_failure"]
    failed = pc.is_in(guards.status, pa.array(("error", "timeout", "partial"))).to_numpy(zero_copy_only=False)
    flagged[guards.row[failed.astype(bool)]] |= BIT["guard_failure"]
    judged = pc.equal(guards.finding_category, OVER_REFUSAL).to_numpy(zero_copy_only=False).astype(bool)
    trials[guards.row[guards.finding_row[judged]]] |= BIT["over_refusal"]


@cache
def _bits_of(layer: str, category: str) -> int:
    family: str | None = "over_refusal" if category == OVER_REFUSAL else FAMILIES.get(category)
    if family == "injection" and layer in ACTION_LAYERS:
        family = "tool"  # an injection that reached an action shows as a hijacked tool
    bits = _FAMILY_BITS.get(family or "", 0)
    return bits & BIT["injection_flag"] if layer in INPUT_LAYERS else bits


def counted_version(columns: Columns) -> pa.ChunkedArray:
    """Return the model version each event counts under: its own word, else the model that answered or was asked."""
    version = columns.table.column("model_version")
    if columns.kind is Inference:
        version = pc.coalesce(version, columns.table.column("response_model"), columns.table.column("request_model"))
    return pc.fill_null(version, "")
