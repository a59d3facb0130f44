"""The alert rules: what is compared with which limit, and where to look. Grafana's and Prometheus' are made of these.

Rates that the detectors decide on page through incidents; here they are tickets that stay open while the objective is
missed. What pages here is what no detector looks at: people who do not answer, guards that are not there, a budget
that burns, and the store itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.panels import UNITS
from dashboards.queries import Value
from schemas.kpis import BY_ID, KPIS, OBJECTIVES
from schemas.kpis.kpi import Kpi, Level
from schemas.kpis.objectives import (
    ACKNOWLEDGE_MINUTES,
    BURNS,
    MITIGATE_MINUTES,
    RECOVER_MINUTES,
    SERVICE_OBJECTIVE,
    Burn,
)

STALE_SECONDS: Final = 900.0
UNTRUSTED_SHARE: Final = 0.5
DEAD_LETTERS: Final = 10.0
LAG_SECONDS: Final = 300.0

WATCHDOG: Final = "watchdog"
"""Severity of the alert that always fires: whoever no longer hears it knows that nobody would hear of anything."""

RETIRED: Final[tuple[str, ...]] = ()
"""Names of rules that were there once: Grafana deletes a provisioned rule only where it is told to by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One alert rule: it fires for each series of its query whose number is beyond the limit for `minutes`."""

    name: str
    title: str
    summary: str
    query: str
    limit: float
    severity: Level
    runbook: str
    board: str
    panel: str
    values: Mapping[str, Value] = field(default_factory=dict)
    above: bool = True
    unit: str = "short"
    family: str = ""
    kpi: str = ""
    window_seconds: int = 600
    minutes: int = 5
    health: bool = False
    owner: str = "safety"

    @property
    def uid(self) -> str:
        """Its fixed name in Grafana."""
        return f"watchkeeper-{self.name}"


_BOARDS: Final = {
    "guard_coverage": "guards", "fail_open": "guards", "mitigation": "guards", "injection_detection": "guards",
    "leak_incidents": "incidents", "drift_open": "drift", "unsafe_served": "service", "injection_flag": "guards",
    "call_error_budget": "service", "slow_call_budget": "service", "guard_time": "guards",
    "over_refusal": "service",
    "goal_hijack": "agents", "memory_poisoning": "agents", "inter_agent": "agents", "privilege_abuse": "agents",
}  # fmt: skip


def _of_kpi(kpi: Kpi, severity: Level) -> Rule:
    bound = "value" if kpi.exact else "lower" if kpi.better == "lower" else "upper"
    return Rule(
        name=kpi.id.replace("_", "-"),
        title=f"{kpi.title}: objective missed",
        summary=kpi.says
        + (f" The {bound} bound of the 95 % interval is beyond the objective." if not kpi.exact else ""),
        query="alert_kpi",
        values={"kpi": kpi.id, "view": kpi.view, "bound": bound},
        limit=OBJECTIVES[kpi.id],
        above=kpi.better == "lower",
        unit=UNITS[kpi.unit],
        severity=severity,
        family=kpi.family,
        kpi=kpi.id,
        runbook=kpi.runbook,
        owner=kpi.owner,
        board=_BOARDS[kpi.id],
        panel=kpi.title,
        window_seconds=3_600 * kpi.window_hours,
    )


def _of_clock(clock: str, allowed: Mapping[str, int]) -> Rule:
    done = {"acknowledge": "acknowledged", "mitigate": "mitigated", "recover": "recovered"}[clock]
    return Rule(
        name=f"not-{done}",
        title=f"Incident not {done} in time",
        summary=f"An incident waits longer to be {done} than agreed.",
        query="alert_incidents",
        values={"clock": clock, "severities": list(allowed), "seconds": [60 * minutes for minutes in allowed.values()]},
        limit=0.0,
        unit="s",
        severity="page",
        runbook=f"un{done}",
        board="incidents",
        panel="Open incidents",
        minutes=1,
    )


def _of_burn(burn: Burn) -> Rule:
    return Rule(
        name=f"burn-{burn.name}",
        title=f"Error budget burns fast over {burn.name}",
        summary=f"Unsafe output is served at more than {burn.threshold:g} times what the budget allows, over the long"
        " and the short window. Counts only where a burn above 1 is sure (95 %).",
        severity="page" if burn.threshold > 1 else "ticket",
        family="unsafe",
        board="overview",
        panel=BY_ID["error_budget"].title,
        **_burning(BY_ID["burn_rate"], burn),
    )


def _of_call_burn(name: str, burn: Burn) -> Rule:
    """Return the rule about the budget of errors or of slow calls: a ticket, as the detectors page for what is new."""
    budget = BY_ID[f"{name}_budget"]
    title = budget.title.removesuffix(" left")
    return Rule(
        name=f"{name.replace('_', '-')}-burn-{burn.name}",
        title=f"{title} burns fast over {burn.name}",
        summary=f"{title} is spent at more than {burn.threshold:g} times what the policy allows, over the long and the"
        " short window. Counts only where a burn above 1 is sure (95 %).",
        severity="ticket",
        board="service",
        panel=budget.title,
        **_burning(BY_ID[f"{name}_burn_rate"], burn),
    )


def _burning(kpi: Kpi, burn: Burn) -> dict[str, Any]:
    """Return what rules about burn rates have in common."""
    return {
        "query": "alert_burn", "limit": burn.threshold, "kpi": burn.of(kpi.id), "runbook": kpi.runbook, "minutes": 2,
        "values": {"view": kpi.view, "kpi": kpi.id, "part": burn.part, "objective": SERVICE_OBJECTIVE},
    }  # fmt: skip


RULES: Final[tuple[Rule, ...]] = (
    _of_clock("acknowledge", ACKNOWLEDGE_MINUTES),
    _of_clock("mitigate", MITIGATE_MINUTES),
    _of_clock("recover", RECOVER_MINUTES),
    *(_of_kpi(kpi, kpi.severity) for kpi in KPIS if kpi.severity is not None),
    *(_of_burn(burn) for burn in BURNS),
    *(_of_call_burn(name, burn) for name in ("call_error", "slow_call") for burn in BURNS),
    Rule(
        name="untrusted",
        title="Telemetry untrusted",
        summary="More than half of the last hours of a service are late, missing or partial; its KPIs say untrusted.",
        query="alert_untrusted", limit=UNTRUSTED_SHARE, unit="percentunit", severity="ticket",
        runbook="telemetry-untrusted", board="monitor", panel="Untrusted hours", family="telemetry",
        window_seconds=3 * 3_600, minutes=10,
    ),
    Rule(
        name="dead-letters",
        title="Records are refused",
        summary=f"More than {DEAD_LETTERS:g} records of one reason were refused within an hour.",
        query="alert_dead_letters", limit=DEAD_LETTERS, severity="ticket", runbook="dead-letters", board="monitor",
        panel="Dead letters", family="telemetry", window_seconds=3_600,
    ),
    Rule(
        name="consumer-lag",
        title="Consumer lag",
        summary="What is counted for the detectors is older than what is stored, or a worker has more to read than"
        " comes in that time: what happens now is found late.",
        query="alert_lag", limit=LAG_SECONDS, unit="s", severity="page", runbook="consumer-lag", board="monitor",
        panel="Counted behind stored", family="telemetry", window_seconds=6 * 3_600,
    ),
    Rule(
        name="store",
        title="The store does not answer, or holds nothing new",
        summary="No other rule can be believed while this one fires: the query fails, the store is empty, or its newest"
        " minute or the last judgement of trust is old.",
        query="alert_store", limit=STALE_SECONDS, unit="s", severity="page", runbook="store", board="monitor",
        panel="Age of the newest minute", family="telemetry", window_seconds=86_400, health=True,
    ),
)  # fmt: skip
