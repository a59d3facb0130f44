"""Steps of agents that break what the policy says of tools, found without any guard."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from schemas.categories import family
from schemas.events import AgentStep
from schemas.findings import Finding
from schemas.sql import literal
from schemas.vocabulary import TOOL_STEPS
from streams.events.decode import Columns
from streams.events.outcomes import is_in, present
from streams.findings.finding import of_event
from streams.policy.policy import Policy
from streams.policy.tools import Breach, ToolRules, breaches
from streams.watch.single.acts import NEEDED, of_services, rows_of, step_of

DETECTOR: Final = "tool_policy"
_SEVERITY: Final = {"page": "page", "ticket": "ticket", "dry_run": "info"}


def tool_findings(columns: Columns, policy: Policy) -> list[Finding]:
    """Return a finding for each step of a batch that breaks the rules of its service, or of its agent.

    Parameters
    ----------
    columns
        Events of one kind.
    policy
        Says for each service and agent what is allowed; without such rules nothing is looked at.
    """
    if columns.kind is not AgentStep or not policy.watches_tools():
        return []
    found = []
    for event in _steps(columns, policy):
        step = step_of(event)
        rules = policy.tools(event["service_name"], event["agent_name"]).at(step)
        broken = list(breaches(rules, step)) if rules.level != "off" else []
        if broken:
            path = [*(event["taint_sources"] or [])[:3], event["tool_name"], event["egress_host"]]
            found.append(breach_finding(("tool_policy",), event, rules, broken, path))
    return found


def _steps(columns: Columns, policy: Policy) -> Iterator[dict[str, Any]]:
    """Return the calls of tools of the services that have rules."""
    table = columns.table
    tool = is_in(table, "step_kind", TOOL_STEPS) & present(table, "tool_name")
    return rows_of(table, NEEDED, np.flatnonzero(tool & of_services(table, policy.watches_tools)))


def breach_finding(
    name: tuple[str, ...], event: dict[str, Any], rules: ToolRules, broken: list[Breach], path: Sequence[str | None]
) -> Finding:
    """Return the finding of a step that breaks the rules.

    Parameters
    ----------
    name
        As `streams.findings.finding.of_event` takes it.
    event
        The step, with the fields `streams.watch.single.acts.NEEDED`.
    broken
        In what it breaks them, the worst first.
    path
        From where the text came to where the step led; what is not known is left out.
    """
    worst, who = broken[0].category, event["agent_name"] or event["service_name"]
    dry = ", had the rules been in force" if rules.level == "dry_run" else ""
    words, way = "; ".join(each.words for each in broken), " → ".join(filter(None, path))
    return of_event(
        name,
        event,
        worst,
        kind="breach",
        severity=_SEVERITY[rules.level],
        family=family(worst) or "tool",
        detector=DETECTOR,
        evidence=f"{who} broke the rules of its tools{dry}: {words} ({way})",
        evidence_sql=f"SELECT * FROM agent_steps WHERE trace_id = {literal(event['trace_id'])} ORDER BY time"
        if event["trace_id"]
        else f"SELECT * FROM agent_steps WHERE event_id = {literal(event['event_id'])}",
    )
