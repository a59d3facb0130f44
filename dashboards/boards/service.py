"""Service: what is wrong with it, since when, in which version, for whom."""

from typing import Final

from dashboards.boards.common import BY_AXIS, CHANGES, findings
from dashboards.panels import UNTRUSTED, Board, Panel, history
from schemas.kpis import BY_ID, OBJECTIVES

RATES: Final = (
    ("unsafe_served", BY_ID["unsafe_served"].title, "Outputs that a guard found unsafe and nothing stopped."),
    ("injection_flag", BY_ID["injection_flag"].title, "Inputs and tool steps in which a guard saw prompt injection."),
    ("leak", "Leak flag rate", "Outputs and tool calls in which a guard saw personal data, secrets or exfiltration."),
    ("refusal", "Refusal rate", "Outputs in which the model refused."),
    ("error", "Error rate", "Calls that ended in an error."),
    ("denied_tool", "Denied-tool rate", "Tool steps that were denied or flagged."),
)

VERSIONED: Final = ("unsafe_served", "unsafe_attempted", "injection_flag", "over_refusal")


def _rate(name: str, title: str, text: str) -> Panel:
    return Panel(
        title=title,
        text=f"{text} All chosen services together, by the hour, with the 95 % interval (Wilson) as a band."
        f" {UNTRUSTED}",
        query="rate_history",
        values={"flagged": name, "trials": f"{name}_trials"},
        unit="percentunit",
        limit=OBJECTIVES.get(name),
        width=8,
    )


BOARD: Final = Board(
    name="service",
    title="Watchkeeper: service",
    text="Rates with intervals, baseline and onset, versions side by side, stages, tenants and categories.",
    panels=(
        *(_rate(*rate) for rate in RATES),
        findings(
            "Findings: baseline and onset",
            "What the detectors found: since when (onset), the rate since then with its interval, and what was normal"
            " (baseline). Surer means e-value further above its promise.",
            "rate", "severe_event", "canary", "odd_event", "telemetry",
        ),
        Panel(
            title="Versions side by side",
            text="The same rates for each model version over the time shown. Intervals that do not overlap differ. It"
            f" counts all tenants. {UNTRUSTED}",
            query="versions", values={"kpis": VERSIONED, "axes": [BY_ID[kpi].axis for kpi in VERSIONED]},
            kind="table", unit="percentunit", units={"n": "short"}, width=24,
        ),
        Panel(
            title="Sources",
            text="What the searches of each source gave: share without a document, mean best score, share of documents"
            " of strangers, that say no trust, or were taken in more than 180 days ago, searches with an injection.",
            query="source_quality", kind="table", width=24,
            units=dict.fromkeys(("empty_share", "unvetted_share", "unsaid_share", "stale_share"), "percentunit"),
        ),
        history("unvetted_served", width=12),
        history("empty_searches", width=12),
        Panel(
            title="Evaluated beside production",
            text="What suites say of the version that serves, beside what its guards saw in the seven days up to the"
            " end of the time shown. Where the lower bound of a gap is above 0, production is worse than evaluated.",
            query="evaluation_gaps", kind="table", width=24,
            units={"evaluated_share": "percentunit", "production_share": "percentunit", "gap": "percentunit",
                   "gap_lower": "percentunit", "gap_upper": "percentunit", "evaluated": "dateTimeAsIso"},
        ),
        BY_AXIS,
        Panel(
            title="Over-refusal beside unsafe output",
            text=f"A guard that refuses more makes the other fall; look at both. All tenants and versions. {UNTRUSTED}",
            query="refusal_beside_unsafe", unit="percentunit",
        ),
        history("over_refusal"),
        Panel(
            title="Latency by stage: median",
            text="Half of the calls are faster in this stage. Dashed lines are the 95 % interval; bins are an eighth of"
            f" a doubling wide. {UNTRUSTED}",
            query="stage_latency", values={"kpi": "latency_p50"}, unit="ms",
        ),
        Panel(
            title="Latency by stage: 95th percentile",
            text=f"One call in twenty is slower in this stage. Dashed lines are the 95 % interval. {UNTRUSTED}",
            query="stage_latency", values={"kpi": "latency_p95"}, unit="ms",
        ),
        history("call_errors", width=6),
        history("call_error_budget", width=6),
        history("slow_calls", width=6),
        history("slow_call_budget", width=6),
        history("limited", width=6),
        Panel(
            title="Who was turned away",
            text="Tenants whose calls a limit turned away, by the kind of limit, with the share of their calls beside"
            " that of all tenants of the service. A tenant far above the others has a limit that does not fit it, or"
            " misbehaves.",
            query="limits", kind="table", width=18,
            units={"share": "percentunit", "share_of_service_mean": "percentunit"},
        ),
        Panel(
            title="Events a second", text="How much is counted at all. A rate over few events says little.",
            query="events", unit="ops",
        ),
        Panel(
            title="Top tenants",
            text="The twenty tenants with most flags over the time shown. Counts are of events, not of people.",
            query="top_tenants", kind="table", units={"unsafe_share": "percentunit"},
        ),
        Panel(
            title="Top categories",
            text="What the guards found most, and how much of it an enforcing guard stopped.",
            query="top_categories", kind="table", units={"stopped_share": "percentunit"},
        ),
        CHANGES,
    ),
)  # fmt: skip
