"""The KPIs as plain data: the CLI, the documentation and the boards read the same list.

The formulas themselves are the views in ``schemas/ddl/views``; a test holds that `kpis` has each of them.
"""

from typing import Final, Literal

from msgspec import Struct

Unit = Literal["share", "count", "seconds", "milliseconds", "ratio", "kappa"]


class Kpi(Struct, frozen=True, kw_only=True):
    """One KPI.

    Attributes
    ----------
    better
        Whether more of it is better, or less.
    formula, bias
        In a sentence each: what it is, and in which way it is known to mislead.
    by_version
        Whether its rows tell model versions apart.
    by_part
        What its rows tell apart further; empty where nothing.
    """

    name: str
    title: str
    unit: Unit
    better: Literal["up", "down"]
    formula: str
    bias: str
    by_version: bool = True
    by_part: str = ""


_CLOCK_BIAS: Final = "false positives and merged incidents are left out; with few incidents the interval is open"


def _clock(name: str, title: str, formula: str, bias: str, *, waits: bool = True) -> tuple[Kpi, ...]:
    """Return median, 90th percentile and the median age of those that still wait."""
    views = [
        ("", title, f"median of {formula}", bias),
        ("_p90", f"{title}, p90", f"90th percentile of {formula}", bias),
    ]
    if waits:
        waiting = f"median age of those that still wait; n is their number ({formula})"
        views.append(("_open", f"{title}, still open", waiting, "grows with every hour that nothing is done"))
    return tuple(
        Kpi(name=name + end, title=text, unit="seconds", better="down", formula=how, bias=why, by_version=False)
        for end, text, how, why in views
    )


KPIS: Final[tuple[Kpi, ...]] = (
    Kpi(
        name="unsafe_served", title="Unsafe output served", unit="share", better="down",
        formula="outputs that a guard found unsafe and no enforcing guard stopped / outputs",
        bias="only as good as the guards: what they miss is not in it; see the reviewed rate",
    ),
    Kpi(
        name="over_refusal", title="Over-refusal", unit="share", better="down",
        formula="refusals of harmless requests / outputs judged for over-refusal; read it beside the unsafe rate",
        bias="only judged outputs count, and a judge may be wrong",
    ),
    Kpi(
        name="unsafe_attempted", title="Unsafe output attempted", unit="share", better="down",
        formula="outputs that a guard found unsafe, stopped or not / outputs",
        bias="as the rate that was served",
    ),
    Kpi(
        name="unsafe_reviewed", title="Unsafe output, as reviewed", unit="share", better="down",
        formula="Horvitz-Thompson estimate within strata from review labels, as known at a moment",
        bias="labels come late; a stratum that nobody labelled widens the interval by all its weight",
    ),
    Kpi(
        name="mitigation", title="Mitigation rate", unit="share", better="up",
        formula="unsafe outputs that were stopped before the user / unsafe outputs",
        bias="unsafe outputs that no guard noticed are in neither part",
    ),
    Kpi(
        name="injection_flag", title="Injection flag rate", unit="share", better="down",
        formula="model calls and tool steps with an injection that a guard reported / model calls and tool steps",
        bias="counts false flags too, and says nothing of attacks that were missed",
    ),
    Kpi(
        name="injection_detection", title="Injection detection rate", unit="share", better="up",
        formula="probes that any guard flagged as an injection / probes sent",
        bias="a recall over known attacks; unknown kinds of attack may fare worse",
    ),
    Kpi(
        name="leak_incidents", title="Data-leak incidents", unit="count", better="down", by_version=False,
        formula="incidents of the leak family that reached a user, or may have; n counts all of the family",
        bias="an incident that does not say whether it reached a user counts",
    ),
    Kpi(
        name="leak_events", title="Data-leak events", unit="count", better="down",
        formula="outputs and tool steps in which a guard reported personal data, a secret or exfiltration",
        bias="flags, not proven leaks; includes what was stopped",
    ),
    Kpi(
        name="drift_open", title="Drift indicators", unit="count", better="down", by_version=False,
        formula="drift findings (quantity, mix, vote, pattern) open at the end of the window; n counts their metrics",
        bias="a vote of a drift detector has no recovery of its own and lapses after seven days",
    ),
    *_clock(
        "time_to_detect", "Time to detect", "estimated onset to detection",
        f"onset is an estimate, and {_CLOCK_BIAS}", waits=False,
    ),
    *_clock("time_to_acknowledge", "Time to acknowledge", "detection to the first word of a person", _CLOCK_BIAS),
    *_clock("time_to_mitigate", "Time to mitigate", "detection to the end of harm", _CLOCK_BIAS),
    *_clock("time_to_recover", "Time to recover", "detection to the proof that the rate is back", _CLOCK_BIAS),
    *_clock("time_to_close", "Time to close", "detection to closing, or closing again after a reopening", _CLOCK_BIAS),
    Kpi(
        name="risk_adjusted_uptime", title="Risk-adjusted uptime", unit="share", better="up",
        formula="formula 1: mean over hours of (1 - error rate) x (1 - min(1, mean severity weight x unsafe share "
        "served / tolerated share)); n counts hours",
        bias="the weights are a convention (low 0.3, medium or not said 1, high 3, critical 10), not a measurement",
    ),
    Kpi(
        name="error_budget", title="Safety error budget left", unit="ratio", better="up",
        formula="1 - unsafe share served / tolerated share; below 0 it is overspent",
        bias="as the unsafe rate; with few outputs one of them spends much",
    ),
    Kpi(
        name="burn_rate", title="Burn rate", unit="ratio", better="down", by_version=False,
        by_part="windows and threshold",
        formula="the smaller of the burn rates over a long window and its short one, up to the end of the period",
        bias="with little traffic a single unsafe output passes any threshold; look at n",
    ),
    Kpi(
        name="guard_coverage", title="Guard coverage", unit="share", better="up",
        formula="outputs on which every required guard gave a verdict / outputs; any guard where none is required",
        bias="a verdict that travels alone is not seen by its output; requirements are those of today's policy",
    ),
    Kpi(
        name="fail_open", title="Fail-open exposure", unit="share", better="down",
        formula="outputs served while a required guard was not ok / outputs served",
        bias="as guard coverage",
    ),
    *_clock(
        "review_turnaround", "Review turnaround", "queued to the first label of a person",
        "where nobody said when it was queued, the time of the event stands in",
    ),
    Kpi(
        name="review_agreement", title="Review agreement", unit="kappa", better="up", by_version=False,
        formula="Cohen's kappa of the first two people on the same event and question; n counts pairs",
        bias="falls with the rate of what is looked for, also where people agree as much as before",
    ),
    Kpi(
        name="governance", title="Governance coverage", unit="share", better="up", by_version=False,
        formula="share of policy, required guard, runbook and owner that a service has; without a name, share of "
        "services that have all four",
        bias="says that something was written down, not that it is right",
    ),
    Kpi(
        name="satisfaction", title="User satisfaction", unit="share", better="up",
        formula="mean score of end users, 0 to 1",
        bias="those who answer are not those who do not",
    ),
    Kpi(
        name="latency_p50", title="Latency, median", unit="milliseconds", better="down", by_part="stage",
        formula="median duration of a stage, from bins an eighth of a doubling wide",
        bias="a stage that an event and its own record both report counts twice",
    ),
    Kpi(
        name="latency_p95", title="Latency, p95", unit="milliseconds", better="down", by_part="stage",
        formula="95th percentile of the duration of a stage, from bins an eighth of a doubling wide",
        bias="as the median",
    ),
    Kpi(
        name="stage_errors", title="Error rate", unit="share", better="down", by_part="stage",
        formula="events of a stage that ended in an error / those that say how they ended",
        bias="ingest and retrieval do not say how they ended and are not known",
    ),
    Kpi(
        name="lost_events", title="Lost telemetry", unit="share", better="down", by_version=False,
        formula="events that an emitter dropped or Watchkeeper refused / those and the ones stored",
        bias="refused ones that were sent again later are still in it",
    ),
    Kpi(
        name="late_events", title="Late telemetry", unit="share", better="down", by_version=False,
        formula="events that came after their tick was closed / events",
        bias="counted in the hour of the tick they were put in",
    ),
)  # fmt: skip


_PAGE: Final = """# The KPIs

Every KPI has rows of one shape: `kpi`, `part` (a stage, or the windows of a burn rate), `window_start`, `service_name`,
`model_version`, `value`, `lower` and `upper` (95 per cent), `n` (what it was counted among), `trust` and
`trust_reason`. What is not known is NULL, never 0: in the life of a service an hour without events has no value and is
untrusted.

`watchkeeper kpi --since 7d` prints them over a period, `--json` and `--html FILE` give the same. In SQL by the hour and
version, or over any windows:

```sql
SELECT * FROM kpis_hourly WHERE kpi = 'unsafe_served' AND service_name = 'shop'
```

```sql
SELECT * FROM kpis(
    since='2026-03-02 00:00:00', until='2026-03-09 00:00:00', step=86400, versions=0, objective=0.99,
    known_at='2026-03-09 00:00:00')
```

`versions=0` takes all versions together, `objective` is the share of outputs that shall be safe, and `known_at` is
the moment as of which review labels count: the same period can be asked for as it was known then and as it is known
now.

An hour is untrusted where it has no events, overlaps a gap of the telemetry, an emitter lost events in it, more
than 1 per cent of them were refused or more than 5 per cent came late, or where rows and windows hold different numbers
of events, trials or flags in closed ticks (`watchkeeper verify` names the hole); shares that rest on guards also where
fewer than 99 per cent of outputs had a verdict of every required guard. A period is untrusted when one of its hours is.
`kpi_trust` has the reasons. Events of probes are in no KPI but the injection detection rate.

"""


def page() -> str:
    """Return ``streams/kpis/README.md``."""
    lines = ["| KPI | `kpi` | unit | better | what it is | known bias |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [
        f"| {kpi.title} | `{kpi.name}` | {kpi.unit} | {kpi.better} | {kpi.formula} | {kpi.bias} |" for kpi in KPIS
    ]
    return _PAGE + "\n".join(lines) + "\n"
