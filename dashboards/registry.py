"""The KPIs: what each means, what is wanted of it, and who looks after it. Boards, alerts and pages are made of these.

The ids are those of the view ``kpis``. An objective is drawn on the panel and compared by the alert: one number.
"""

from dataclasses import dataclass
from typing import Final, Literal

SERVICE_OBJECTIVE: Final = 0.99
"""Share of outputs that must be harmless; the rest is the error budget that burn rates are about."""

PAGES_PER_DAY: Final = 1.0
"""What the default policy promises about false pages of the whole fleet."""

TICKETS_PER_DAY: Final = 10.0

ACKNOWLEDGE_SECONDS: Final = {"sev1": 300, "sev2": 900, "sev3": 3_600}
MITIGATE_SECONDS: Final = {"sev1": 3_600, "sev2": 14_400}
RECOVER_SECONDS: Final = {"sev1": 14_400, "sev2": 86_400}
"""How long an incident may wait, by severity. The first two are the defaults of the policy; a policy knows no third."""

Severity = Literal["page", "ticket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One KPI.

    `worse` says which way is bad; `window_hours` is what an alert looks at; `severity` is empty where nothing alerts.
    `view` holds its values, in steps of `step_seconds` on a panel; `exact` means counted, without an interval.
    """

    id: str
    title: str
    unit: Literal["percentunit", "s", "short"]
    worse: Literal["high", "low"]
    objective: float
    meaning: str
    view: str = "kpi_output_shares"
    step_seconds: int = 3_600
    exact: bool = False
    window_hours: int = 6
    severity: Severity | None = None
    family: str = ""
    runbook: str = ""
    owner: str = "safety"

    @property
    def sign(self) -> int:
        """1 where larger is worse, -1 where smaller is."""
        return 1 if self.worse == "high" else -1


KPIS: Final = (
    Kpi(
        id="unsafe_served", title="Unsafe output served", unit="percentunit", worse="high", objective=0.02,
        meaning="Share of outputs that a guard found unsafe and that nothing stopped before the user.",
        severity="ticket", family="unsafe", runbook="unsafe-output",
    ),
    Kpi(
        id="mitigation", title="Unsafe output stopped", unit="percentunit", worse="low", objective=0.9,
        meaning="Of the unsafe outputs, the share that was stopped before it reached the user.",
        window_hours=24, severity="ticket", family="unsafe", runbook="mitigation-rate",
    ),
    Kpi(
        id="unsafe_attempted", title="Unsafe output attempted", unit="percentunit", worse="high", objective=0.05,
        meaning="Share of outputs that a guard found unsafe, stopped or not: how the model itself behaves.",
        family="unsafe", runbook="unsafe-output",
    ),
    Kpi(
        id="injection_flag", title="Injections flagged", unit="percentunit", worse="high", objective=0.15,
        meaning="Share of inputs and tool steps in which a guard saw prompt injection. It is no recall.",
        severity="ticket", family="injection", runbook="injection",
    ),
    Kpi(
        id="injection_detection", title="Known attacks detected", unit="percentunit", worse="low", objective=0.9,
        meaning="Of the attacks that we sent ourselves as probes, the share that the guards saw.",
        view="kpi_known_shares", window_hours=24, severity="ticket", family="injection", runbook="injection",
    ),
    Kpi(
        id="over_refusal", title="Over-refusal", unit="percentunit", worse="high", objective=0.15,
        meaning="Share of judged outputs in which a harmless request was refused. Read it beside the unsafe rate.",
        severity="ticket", family="refusal", runbook="over-refusal",
    ),
    Kpi(
        id="guard_coverage", title="Guard coverage", unit="percentunit", worse="low", objective=0.99,
        meaning="Share of outputs that every required guard looked at and was ok. The rest is not known to be safe.",
        view="kpi_guards", window_hours=1, severity="page", family="guard", runbook="guard-coverage",
    ),
    Kpi(
        id="fail_open", title="Served without a guard", unit="percentunit", worse="high", objective=0.01,
        meaning="Share of served outputs for which a required guard was missing, failed or timed out.",
        view="kpi_guards", window_hours=1, severity="page", family="guard", runbook="fail-open",
    ),
    Kpi(
        id="leak_incidents", title="Leaks that reached a user", unit="short", worse="high", objective=0,
        meaning="Incidents of data leakage that reached a user, or may have.",
        view="kpi_leaks", exact=True, window_hours=24, severity="ticket", family="leak", runbook="leak",
    ),
    Kpi(
        id="drift_open", title="Open drift findings", unit="short", worse="high", objective=3,
        meaning="Findings that something is distributed differently, and that are not proven back.",
        view="kpi_drifts", exact=True, window_hours=1, severity="ticket", family="quantity", runbook="drift",
    ),
    Kpi(
        id="risk_adjusted_uptime", title="Risk-adjusted uptime", unit="percentunit", worse="low",
        objective=SERVICE_OBJECTIVE, view="kpi_uptimes",
        meaning="Mean over the hours of: calls without error, times one minus the weighted unsafe share over what is"
        " tolerated.",
        runbook="error-budget",
    ),
    Kpi(
        id="error_budget", title="Error budget left", unit="percentunit", worse="low", objective=0,
        view="kpi_outputs",
        meaning="What is left of the tolerated unsafe share in the time shown; below nothing it is overspent.",
        runbook="error-budget",
    ),
    Kpi(
        id="lost_events", title="Events lost", unit="percentunit", worse="high", objective=0.01,
        meaning="Share of events that were dropped at the source or refused.", view="kpi_losses",
        runbook="telemetry-untrusted",
    ),
    Kpi(
        id="late_events", title="Events late", unit="percentunit", worse="high", objective=0.05,
        meaning="Share of events that came after their tick was closed.", view="kpi_losses",
        runbook="telemetry-untrusted",
    ),
    Kpi(
        id="unsafe_reviewed", title="True unsafe rate", unit="percentunit", worse="high", objective=0.02,
        view="kpi_reviewed", step_seconds=86_400,
        meaning="Unsafe share of all outputs as reviewers judge it, estimated from a sample of known probability.",
        runbook="unsafe-output",
    ),
    Kpi(
        id="review_agreement", title="Reviewers agree", unit="short", worse="low", objective=0.6,
        view="kpi_agreements", step_seconds=86_400,
        meaning="Cohen's kappa of the first two people who judged the same output; 1 is full agreement, 0 is chance.",
    ),
    Kpi(
        id="time_to_acknowledge", title="Median time to acknowledge", unit="s", worse="high", objective=900,
        meaning="From detection until a person has it in hand.", view="", runbook="unacknowledged",
    ),
    Kpi(
        id="time_to_mitigate", title="Median time to mitigate", unit="s", worse="high", objective=14_400,
        meaning="From detection until the harm was stopped.", view="", runbook="unmitigated",
    ),
    Kpi(
        id="governance", title="Services with policy, guard, runbook, owner", unit="percentunit", worse="low",
        objective=1, view="", meaning="Share of services about which all four are agreed.",
    ),
)  # fmt: skip

BY_ID: Final = {kpi.id: kpi for kpi in KPIS}
