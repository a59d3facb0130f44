"""KPIs of what models do and guards stop: unsafe outputs, injections, refusals, guards, leaks, drift."""

from typing import Final

from schemas.kpis.kpi import Kpi
from schemas.kpis.objectives import COVERED_SHARE
from schemas.metrics import RATES

CEILINGS: Final = {rate.name: rate.ceiling for rate in RATES}

KPIS: Final = (
    Kpi(
        id="unsafe_served", title="Unsafe output served", unit="share", better="lower", view="kpi_output_shares",
        says="Share of outputs in which a guard found a hazard, of content or of security (a leak is one), and that"
        " nothing stopped before the user.",
        formula="outputs with a content or security hazard that no enforcing guard stopped / outputs",
        misleads="only as good as the guards: what they miss is not in it; see the reviewed rate",
        objective=CEILINGS["unsafe_served"], severity="ticket", family="unsafe", runbook="unsafe-output",
    ),
    Kpi(
        id="mitigation", title="Mitigation rate", unit="share", better="higher", view="kpi_output_shares",
        says="Of the unsafe outputs, the share that was stopped before it reached the user.",
        formula="unsafe outputs that were stopped before the user / unsafe outputs",
        misleads="unsafe outputs that no guard noticed are in neither part",
        objective=0.9, window_hours=24, severity="ticket", family="unsafe", runbook="mitigation-rate",
    ),
    Kpi(
        id="unsafe_attempted", title="Unsafe output attempted", unit="share", better="lower",
        view="kpi_output_shares",
        says="Share of outputs in which a guard found a hazard, stopped or not: how the model itself behaves.",
        formula="outputs with a content or security hazard, stopped or not / outputs",
        misleads="as the rate that was served",
        objective=0.05, family="unsafe", runbook="unsafe-output",
    ),
    Kpi(
        id="injection_flag", axis="security", title="Injection flag rate", unit="share", better="lower",
        view="kpi_output_shares",
        says="Share of inputs and tool steps in which a guard saw prompt injection. It is no recall.",
        formula="model calls and tool steps with an injection that a guard reported / model calls and tool steps",
        misleads="counts false flags too, and says nothing of attacks that were missed",
        objective=CEILINGS["injection_flag"], severity="ticket", family="injection", runbook="injection",
    ),
    Kpi(
        id="blocked", title="Blocked", unit="share", better="lower", view="kpi_output_shares",
        says="Share of requests and answers that a guard blocked. A fall may be a guard that went blind.",
        formula="model calls, and runs of agents that a guard looked at, that were blocked / all of them",
        misleads="says how often a guard stepped in, not how often it was right",
        objective=CEILINGS["blocked"], family="blocked", runbook="mitigation-rate",
    ),
    Kpi(
        id="filtered", title="Filtered by the provider", unit="share", better="lower", view="kpi_output_shares",
        says="Share of requests and answers that the provider filtered, wholly or one of their choices.",
        formula="model calls that the provider filtered / model calls that say how they ended",
        misleads="a filter that reports itself as an error of a type that is not known is not in it",
        objective=CEILINGS["filtered"], family="filtered", runbook="mitigation-rate",
    ),
    Kpi(
        id="injection_detection", axis="security", title="Injection detection rate", unit="share", better="higher",
        view="kpi_known_shares",
        says="Of the attacks that we sent ourselves as probes, the share that the guards saw or stopped.",
        formula="probes that any guard stopped, or flagged under any security code / probes that the service answered",
        misleads="a recall over known attacks; unknown kinds of attack may fare worse",
        objective=0.9, window_hours=24, severity="ticket", family="injection", runbook="injection",
    ),
    Kpi(
        id="probe_detection", axis="security", title="Probes detected", unit="share", better="higher",
        view="kpi_known_shares", by_part="family of attacks",
        says="The same for each family of attacks: direct, jailbreak, indirect (through a document or a tool),"
        " multi-turn, exfiltration, prompt leak, misuse of tools.",
        formula="as the injection detection rate, of one family",
        misleads="few probes of a family make a wide interval", window_hours=24, runbook="injection",
    ),
    Kpi(
        id="probes_unreachable", title="Probes unreachable", unit="share", better="lower", view="kpi_known_shares",
        says="Of the probes, the share that the service did not judge: it answered with an error, a quota, or"
        " not at all.",
        formula="probes without a detection that ended in an error, a quota or a time-out / probes sent",
        misleads="these say nothing of guards and are in no detection rate",
        objective=0.05, window_hours=24, runbook="injection",
    ),
    Kpi(
        id="over_refusal", axis="quality", title="Over-refusal rate", unit="share", better="lower",
        view="kpi_output_shares",
        says="Share of judged outputs in which a harmless request was refused. Read it beside the unsafe rate.",
        formula="refusals of harmless requests / outputs judged for over-refusal",
        misleads="only judged outputs count, and a judge may be wrong",
        objective=CEILINGS["over_refusal"], severity="ticket", family="refusal", runbook="over-refusal",
    ),
    Kpi(
        id="quality", axis="quality", title="Quality faults", unit="share", better="lower", view="kpi_output_shares",
        says="Share of outputs that a guard or judge found ungrounded, irrelevant, off topic, misinforming or biased.",
        formula="outputs in which a guard reported a quality code other than a refusal / outputs",
        misleads="only what is judged can be found; where no judge looks it is 0",
        objective=CEILINGS["quality"], family="quality", runbook="drift",
    ),
    Kpi(
        id="prompt_pii", axis="security", title="Personal data in prompts", unit="share", better="lower",
        view="kpi_output_shares",
        says="Share of model calls in whose input a guard saw personal data or a secret. It is no leak.",
        formula="model calls with personal data or a secret that a guard on the input reported / model calls",
        misleads="says what users send, masked or not; without a guard on the input it is 0",
        objective=CEILINGS["prompt_pii"], family="prompt_pii", runbook="leak",
    ),
    Kpi(
        id="goal_hijack", axis="security", title="Goal hijacks", unit="share", better="lower", view="kpi_output_shares",
        says="Share of the judged steps of agents in which the agent's aim was changed: it does what a stranger wants.",
        formula="those with a goal hijack by a guard / steps of agents, and calls for a tool, that a guard judged",
        misleads="an attempt only seen in an input is an injection; where no guard judges steps it is not known",
        objective=CEILINGS["goal_hijack"], severity="ticket", family="injection", runbook="agents",
    ),
    Kpi(
        id="memory_poisoning", axis="security", title="Memory poisoning", unit="share", better="lower",
        view="kpi_output_shares",
        says="Share of the judged steps of agents in which what the agent is to remember was poisoned.",
        formula="steps of agents in which a guard reported memory poisoning / steps of agents that a guard judged",
        misleads="harm comes later, when the memory is read; the steps that read it are not in it",
        objective=CEILINGS["memory_poisoning"], severity="ticket", family="injection", runbook="agents",
    ),
    Kpi(
        id="inter_agent", axis="security", title="Exploits between agents", unit="share", better="lower",
        view="kpi_output_shares",
        says="Share of the judged steps of agents in which a message from another agent was forged or abused.",
        formula="steps of agents in which a guard reported abuse between agents / steps of agents that a guard judged",
        misleads="the agent that reports it is the one that was reached, not the one that began",
        objective=CEILINGS["inter_agent"], severity="ticket", family="tool", runbook="agents",
    ),
    Kpi(
        id="privilege_abuse", axis="security", title="Privilege abuse", unit="share", better="lower",
        view="kpi_output_shares",
        says="Share of the judged steps of agents in which identity or rights were abused.",
        formula="those with privilege abuse by a guard / steps of agents, and calls for a tool, that a guard judged",
        misleads="a step that was merely denied is in the rate of denied tools",
        objective=CEILINGS["privilege_abuse"], severity="ticket", family="tool", runbook="agents",
    ),
    Kpi(
        id="guard_coverage", title="Guard coverage", unit="share", better="higher", view="kpi_guards",
        says="Share of outputs that every required guard looked at and was ok. The rest is not known to be safe.",
        formula="outputs on which every required guard gave a verdict / outputs; any guard where none is required",
        misleads="a verdict that travels alone is not seen by its output; requirements are those of today's policy",
        objective=COVERED_SHARE, window_hours=1, severity="page", family="guard", runbook="guard-coverage",
    ),
    Kpi(
        id="fail_open", title="Fail-open exposure", unit="share", better="lower", view="kpi_guards",
        says="Share of served outputs for which a required guard was missing, failed or timed out.",
        formula="outputs served while a required guard was not ok / outputs served",
        misleads="as guard coverage",
        objective=0.01, window_hours=1, severity="page", family="guard", runbook="fail-open",
    ),
    Kpi(
        id="leak_incidents", axis="security", title="Data-leak incidents", unit="count", better="lower",
        view="kpi_leaks",
        says="Incidents of data leakage that reached a user, or may have.",
        formula="incidents of the leak family that reached a user, or may have; n counts all of the family",
        misleads="an incident that does not say whether it reached a user counts",
        source="a count", by_version=False, exact=True,
        objective=0, window_hours=24, severity="ticket", family="leak", runbook="leak",
    ),
    Kpi(
        id="leak_events", axis="security", title="Data-leak events", unit="count", better="lower", view="kpi_totals",
        says="Outputs and tool steps in which a guard saw personal data, a secret or exfiltration.",
        formula="outputs and tool steps in which a guard reported personal data, a secret or exfiltration",
        misleads="flags, not proven leaks; includes what was stopped",
        source="a count",
    ),
    Kpi(
        id="drift_open", title="Drift indicators", unit="count", better="lower", view="kpi_drifts",
        says="Findings that something is distributed differently, and that are not proven back.",
        formula="drift findings (quantity, mix, vote) open at the end of the window; n counts their metrics",
        misleads="a vote of a drift detector has no recovery of its own and lapses after seven days",
        source="a count", by_version=False, exact=True,
        objective=3, window_hours=1, severity="ticket", family="quantity", runbook="drift",
    ),
)  # fmt: skip
