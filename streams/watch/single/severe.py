"""Single events that are severe enough to page at once, without waiting for a rate to rise."""

from typing import Any, Final

import numpy as np

from schemas.categories import family
from schemas.findings import REACHED, Finding
from schemas.sql import literal
from streams.events.decode import Columns
from streams.events.guards import Guards, RowNumbers
from streams.events.risk import Floats, risk_of, usual_levels
from streams.findings.finding import of_event
from streams.policy.policy import Policy

CRITICAL: Final = 4
DETECTOR: Final = "severe_event"
_USUAL: Final = Policy()


def severe_findings(columns: Columns, guards: Guards, policy: Policy = _USUAL) -> list[Finding]:
    """Return a finding for each guard finding that nothing stopped and that is critical, or of high risk by the policy.

    One that says neither how bad nor how sure it is has the severity of its category, and its page says so.

    Parameters
    ----------
    columns, guards
        The events, and their guard results as `streams.events.flags` flattened them.
    policy
        Weights and threshold of the risk, and the tiers of the services.
    """
    severe, risk, usual = severe_results(columns, guards, policy)
    found = []
    for index in severe.tolist():
        event = columns.table.slice(int(guards.row[guards.finding_row[index]]), 1).to_pylist()[0]
        category = guards.finding_category[index].as_py()
        found.append(
            of_event(
                ("severe", category),
                event,
                category,
                kind="severe_event",
                severity="page",
                model_version=event["model_version"],
                family=family(category) or "unknown",
                detector=DETECTOR,
                evidence=f"{_degree(guards, index, usual)} and stopped by nothing: {category}, risk {risk[index]:.2f}",
                details={"risk": float(risk[index])} | _derived(usual[index]) | _reached(event),
                evidence_sql=f"SELECT * FROM guard_verdicts WHERE event_id = {literal(event['event_id'])}",
            )
        )
    return found


def severe_results(columns: Columns, guards: Guards, policy: Policy = _USUAL) -> tuple[RowNumbers, Floats, Floats]:
    """Return which of the guards' findings page at once, and of each finding its risk and what `usual_levels` says."""
    usual = usual_levels(guards, policy.risk)
    risk = _risk(columns, guards, policy)[guards.row[guards.finding_row]] if len(guards.finding_row) else np.empty(0)
    critical = (guards.finding_severity >= CRITICAL) | (usual >= CRITICAL)
    bad = critical | (risk >= policy.risk.page_at)
    return np.flatnonzero(guards.finding_counts & ~guards.finding_stopped & bad), risk, usual


def _risk(columns: Columns, guards: Guards, policy: Policy) -> Floats:
    """Return the risk of each event, its service's tier included."""
    names = columns.table.column("service_name").combine_chunks().dictionary_encode()
    tiers = [policy.risk.tiers.get(policy.service(name).tier, 1.0) for name in names.dictionary.to_pylist()]
    return risk_of(columns, guards, policy.risk) * np.array(tiers)[names.indices.to_numpy()]


def _reached(event: dict[str, Any]) -> dict[str, float]:
    """Return whether the event reached a person, where it says so."""
    reached = event.get("reached_user")
    return {} if reached is None else {REACHED: float(reached)}


def _derived(level: float) -> dict[str, float]:
    """Return the severity that was taken from the category, for a finding that has none of its own."""
    return {} if np.isnan(level) else {"severity_of_category": float(level)}


def _degree(guards: Guards, index: int, usual: Floats) -> str:
    if usual[index] >= CRITICAL:
        return "critical by its category, for its source says neither how bad nor how sure,"
    return "critical" if guards.finding_severity[index] >= CRITICAL else "of high risk"
