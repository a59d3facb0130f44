"""KPIs of the service and of its telemetry: uptime, error budget, latency, errors, what was lost or late."""

from typing import Final

from schemas.kpis.kpi import Kpi
from schemas.kpis.objectives import (
    ERROR_SHARE,
    LATE_SHARE,
    REFUSED_SHARE,
    SERVICE_OBJECTIVE,
    SEVERITY_WEIGHTS,
    SLOW_MS,
    SLOW_SHARE,
)
from schemas.kpis.safety import CEILINGS

_WEIGHTS: Final = ", ".join(f"{severity} {weight:g}" for severity, weight in SEVERITY_WEIGHTS.items())
_WORKBOOK: Final = "Site Reliability Workbook, chapters 2 and 5; interval of Wilson (1927)"


def _of_calls(name: str, title: str, bad: str, wanted: float, misleads: str, runbook: str) -> tuple[Kpi, ...]:
    """Return the share of calls that are not as they should be, what is left of its budget, and how fast that burns."""
    share, one = name + "s", title.removesuffix("s")
    return (
        Kpi(
            id=share, title=title, unit="share", better="lower", view="kpi_calls", source="interval of Wilson (1927)",
            says=f"Share of model calls that {bad}.", formula=f"model calls that {bad} / model calls that say so",
            misleads=misleads, objective=wanted, runbook=runbook,
        ),
        Kpi(
            id=f"{name}_budget", title=f"{one} budget left", unit="share", better="higher", view="kpi_calls",
            says=f"What is left of the calls that may be such that they {bad}, as the policy says of the service; below"
            " nothing it is overspent.",
            formula="1 - share / tolerated share of the service; below 0 it is overspent", misleads=misleads,
            source=_WORKBOOK, objective=0, window_hours=24, severity="ticket", runbook=runbook,
        ),
        Kpi(
            id=f"{name}_burn_rate", title=f"{one} burn rate", unit="ratio", better="lower", view="kpi_call_burn_rates",
            says=f"How many times faster than tolerated that budget is spent (calls that {bad}).",
            formula="as burn rate, of that budget", misleads="with little traffic one call passes any threshold",
            source=_WORKBOOK, by_version=False, by_part="windows and threshold", runbook=runbook,
        ),
    )  # fmt: skip


KPIS: Final = (
    Kpi(
        id="risk_adjusted_uptime", title="Risk-adjusted uptime", unit="share", better="higher", view="kpi_uptimes",
        says="Mean over the hours of: calls without error, times one minus the weighted unsafe share over what is"
        " tolerated.",
        formula="formula 2: mean over hours of (1 - error rate) x (1 - min(1, mean severity weight x unsafe share "
        "served / tolerated share)); n counts hours",
        misleads=f"the weights are a convention ({_WEIGHTS}, unless the policy says otherwise; not said is medium), not"
        " a measurement",
        source="our own, as no definition is published",
        objective=SERVICE_OBJECTIVE, runbook="error-budget",
    ),
    Kpi(
        id="error_budget", title="Error budget left", unit="share", better="higher", view="kpi_outputs",
        says="What is left of the tolerated unsafe share in the time shown; below nothing it is overspent.",
        formula="1 - unsafe share served / tolerated share; below 0 it is overspent",
        misleads="as the unsafe rate; with few outputs one of them spends much",
        source="Site Reliability Workbook, chapter 2; interval of Wilson (1927)",
        objective=0, runbook="error-budget",
    ),
    Kpi(
        id="burn_rate", title="Burn rate", unit="ratio", better="lower", view="kpi_burn_rates",
        says="How many times faster than tolerated the error budget is spent.",
        formula="the smaller of the burn rates over a long window and its short one, up to the end of the period",
        misleads="with little traffic a single unsafe output passes any threshold; look at n",
        source="Site Reliability Workbook, chapter 5; interval of Wilson (1927)",
        by_version=False, by_part="windows and threshold", runbook="error-budget",
    ),
    *_of_calls(
        "call_error", "Call errors", "ended in an error", ERROR_SHARE,
        "what is blocked or filtered is no error; calls that never end say nothing", "call-errors",
    ),
    *_of_calls(
        "slow_call", "Slow calls", f"took longer than the service shall ({SLOW_MS / 1000:g} s where nothing is said)",
        SLOW_SHARE, "the limit is rounded up to the next eighth of a doubling; a stream is as long as it runs",
        "slow-calls",
    ),
    Kpi(
        id="limited", title="Calls turned away by limits", unit="share", better="lower", view="kpi_known_shares",
        says="Share of model calls that a rate limit, quota or budget of the service turned away. It is no error.",
        formula="model calls with the outcome rate_limited / model calls",
        misleads="a limit of the provider is an error instead; retries of one caller count each, see the view limits",
        objective=0.05, runbook="limits",
    ),
    Kpi(
        id="lost_events", title="Lost events", unit="share", better="lower", view="kpi_losses",
        says="Share of events that were dropped at the source or refused.",
        formula="events that an emitter dropped or Watchkeeper refused / those and the ones stored",
        misleads="refused ones that were sent again later are still in it", by_version=False,
        objective=REFUSED_SHARE, runbook="telemetry-untrusted",
    ),
    Kpi(
        id="late_events", title="Late events", unit="share", better="lower", view="kpi_losses",
        says="Share of events that came after their tick was closed.",
        formula="events that came after their tick was closed / events",
        misleads="counted in the hour of the tick they were put in", by_version=False,
        objective=LATE_SHARE, runbook="telemetry-untrusted",
    ),
    Kpi(
        id="orphan_verdicts", title="Orphan verdicts", unit="share", better="lower", view="kpi_known_shares",
        says="Share of verdicts that travelled alone and never met the event that they judged.",
        formula="verdicts whose event never came, or that name none / verdicts that travelled alone",
        misleads="one that comes more than an hour after its event is an orphan too, however right its id",
        by_version=False, objective=0.05, runbook="telemetry-untrusted",
    ),
    Kpi(
        id="latency_p50", title="Latency, median", unit="milliseconds", better="lower", view="kpi_latencies",
        says="Half of the calls are faster in this stage.",
        formula="median duration of a stage, from bins an eighth of a doubling wide",
        misleads="a stage that an event and its own record both report counts twice",
        source="order statistics of the bins", by_part="stage",
    ),
    Kpi(
        id="latency_p95", title="Latency, p95", unit="milliseconds", better="lower", view="kpi_latencies",
        says="One call in twenty is slower in this stage.",
        formula="95th percentile of the duration of a stage, from bins an eighth of a doubling wide",
        misleads="as the median",
        source="order statistics of the bins", by_part="stage",
    ),
    Kpi(
        id="stage_errors", title="Error rate", unit="share", better="lower", view="kpi_known_shares",
        says="Share of calls that ended in an error, by stage.",
        formula="events of a stage that ended in an error / those that say how they ended",
        misleads="ingest and retrieval do not say how they ended and are not known", by_part="stage",
    ),
    Kpi(
        id="failing_tool", title="Failing tools", unit="share", better="lower", view="kpi_output_shares",
        says="Share of calls of tools that ended in an error. One that was denied or kept from running is no failure.",
        formula="steps that called a tool and ended in an error / steps that called a tool",
        misleads="an agent that tries again until it works fails often and gets there",
        objective=CEILINGS["failing_tool"], family="tool_error", runbook="drift",
    ),
)  # fmt: skip
