"""How much harm one event may have done: severity, times exposure, times distrust of its source, times the tier.

```
severity   level of the worst guard finding / 4; without a level its probability, without either the level that is
           usual for its category (`schemas.categories`), or that the policy gives it; 0 without
exposure   1 where nothing stopped it; less where a guard did, where it reached no user, or where a tool only reads
source     1 where text of strangers steered it (retrieved, tool results, taint); less for a user, least for ourselves
tier       of the service: how much depends on it
```

Each factor is 0 to 1, and so is the risk. The weights are the policy's.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.categories import usual_severity
from schemas.events import AgentStep, Retrieval
from streams.events.decode import Columns
from streams.events.guards import Guards
from streams.policy.risk import Risk

Floats = npt.NDArray[np.float64]

HIGHEST_LEVEL: Final = 4.0
STRANGERS: Final = ("retrieval", "tool_result")
"""Layers at which a guard reads text that neither the service nor its user wrote."""


def risk_of(columns: Columns, guards: Guards, weights: Risk) -> Floats:
    """Return the risk of each event before the tier of its service is applied.

    Parameters
    ----------
    columns
        n events of one kind.
    guards
        Their guard results, as `streams.events.flags.flatten_guards` gives them.

    Returns
    -------
    numpy.ndarray
        n numbers from 0 to 1.
    """
    risk: Floats = (
        _severity(columns, guards, weights) * _exposure(columns, guards, weights) * _source(columns, guards, weights)
    )
    return risk


def usual_levels(guards: Guards, weights: Risk) -> Floats:
    """Return the severity, by category, of each finding that says neither how bad nor how sure; NaN of the others.

    Parameters
    ----------
    guards
        With n findings.
    weights
        The policy's severities stand before the usual ones.

    Returns
    -------
    numpy.ndarray
        n levels from 0 to 4. They are ours: no source said them, and they are stored nowhere as if one had.
    """
    levels: Floats = np.full(len(guards.finding_severity), np.nan)
    silent = np.flatnonzero(guards.finding_counts & (guards.finding_severity == 0) & np.isnan(guards.finding_score))
    if len(silent):
        names = guards.finding_category.take(pa.array(silent)).dictionary_encode()
        known = [weights.severities.get(name, usual_severity(name)) for name in names.dictionary.to_pylist()]
        levels[silent] = np.array(known, np.float64)[names.indices.to_numpy()]
    return levels


def _severity(columns: Columns, guards: Guards, weights: Risk) -> Floats:
    worst = np.zeros(len(columns.table))
    said = np.where(guards.finding_severity > 0, guards.finding_severity / HIGHEST_LEVEL, guards.finding_score)
    graded = np.where(np.isnan(said), usual_levels(guards, weights) / HIGHEST_LEVEL, said)
    row = guards.row[guards.finding_row]
    np.maximum.at(worst, row[guards.finding_counts], np.clip(graded[guards.finding_counts], 0.0, 1.0))
    return worst


def _exposure(columns: Columns, guards: Guards, weights: Risk) -> Floats:
    table = columns.table
    exposure = np.ones(len(table))
    if columns.kind is AgentStep:
        tiers = pc.fill_null(table.column("tool_tier"), "unknown").combine_chunks().dictionary_encode()
        by_tier = np.array([weights.tools.get(name, 1.0) for name in tiers.dictionary.to_pylist()])
        exposure = by_tier[tiers.indices.to_numpy()] if len(by_tier) else exposure
    if "reached_user" in table.column_names:
        unseen = pc.fill_null(pc.equal(table.column("reached_user"), pa.scalar(False)), pa.scalar(False))
        exposure = np.where(unseen.to_numpy(), weights.unseen, exposure)
    row = guards.row[guards.finding_row]
    open_ = np.zeros(len(table), bool)
    open_[row[guards.finding_counts & ~guards.finding_stopped]] = True
    stopped = np.zeros(len(table), bool)
    stopped[row[guards.finding_stopped]] = True
    return np.where(stopped & ~open_, np.minimum(exposure, weights.stopped), exposure)


def _source(columns: Columns, guards: Guards, weights: Risk) -> Floats:
    table = columns.table
    source = np.full(len(table), weights.own if columns.kind in (AgentStep, Retrieval) else weights.user)
    if len(guards.result):
        layer = pc.is_in(pc.struct_field(guards.result, "layer"), pa.array(STRANGERS))
        strange = layer.to_numpy(zero_copy_only=False)[guards.finding_row] & guards.finding_counts
        source[guards.row[guards.finding_row[strange]]] = weights.stranger
    if columns.kind is AgentStep:
        tainted = pc.fill_null(pc.list_value_length(table.column("taint_sources")), 0).to_numpy() > 0
        source[tainted] = weights.stranger
    return source
