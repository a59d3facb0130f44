"""The rates that are watched, each with what counts as a trial and what counts as flagged.

A *trial* is one session in one tick (see `streams.watch.worker`): a session with many events in a tick is one trial,
and a session that was flagged lately is not flagged again, because the promise of the detectors rests on units
that do not come in bursts.
"""

from typing import Final, Literal

from msgspec import Struct

from .categories import Axis

Metric = Literal[
    "unsafe_attempted",
    "unsafe_served",
    "injection_flag",
    "leak",
    "refusal",
    "error",
    "denied_tool",
    "over_refusal",
    "guard_failure",
    "blocked",
    "filtered",
    "failing_tool",
    "prompt_pii",
    "quality",
    "goal_hijack",
    "memory_poisoning",
    "inter_agent",
    "privilege_abuse",
    "cascade",
]


class Rate(Struct, frozen=True):
    """A watched rate: its family (findings of one family join), trials, numerator and policy ceiling.

    `axis` is what it is about, empty where that may be any. `falls` says that a fall matters too: flags that vanish may
    be a guard that went blind. `level` is what a rise is where the policy says nothing of it.
    """

    name: Metric
    family: str
    trials: str
    flagged: str
    ceiling: float
    falls: bool = False
    level: Literal["page", "ticket"] = "page"
    axis: Axis | Literal[""] = ""


RATES: Final[tuple[Rate, ...]] = (
    Rate(
        "unsafe_attempted",
        "unsafe",
        "sessions with a model output",
        "a guard on the output reported a hazard that has no rate of its own or just objected, stopped or not",
        0.02,
        falls=True,
        axis="safety",
    ),
    Rate(
        "unsafe_served",
        "unsafe",
        "sessions with a model output",
        "as unsafe_attempted, and no enforcing guard stopped it",
        0.02,
        axis="safety",
    ),
    Rate(
        "injection_flag",
        "injection",
        "sessions with a model call or tool step, or anything else in which a guard looked for it",
        "a guard reported prompt injection, jailbreak or goal hijack, or objected to an input in words of its own",
        0.15,
        falls=True,
        axis="security",
    ),
    Rate(
        "leak",
        "leak",
        "sessions with a model output or tool step",
        "a guard on output or tool call reported personal data, a secret or exfiltration",
        0.02,
        axis="security",
    ),
    Rate(
        "refusal",
        "refusal",
        "sessions with a model output",
        "the outcome was a refusal, or a classifier said so",
        0.15,
        falls=True,
        axis="quality",
    ),
    Rate(
        "error", "error", "sessions with a model call", "the call ended in an error, and was no block or filter", 0.05
    ),
    Rate(
        "denied_tool",
        "tool",
        "sessions with a tool step, or a model call that asked for one",
        "the step was denied, or a guard on the tool call flagged it",
        0.05,
        axis="security",
    ),
    Rate(
        "over_refusal",
        "refusal",
        "sessions with a model output that was judged for over-refusal",
        "the judge found that a harmless request was refused",
        0.15,
        axis="quality",
    ),
    Rate(
        "guard_failure",
        "guard",
        "sessions in which a guard was asked",
        "a guard ended in an error or a time-out, or gave half a verdict",
        0.05,
    ),
    Rate(
        "blocked",
        "blocked",
        "sessions with a model call, or a run of an agent that a guard looked at",
        "a guard blocked the request or its answer",
        0.15,
        falls=True,
        level="ticket",
    ),
    Rate(
        "filtered",
        "filtered",
        "sessions with a model call",
        "the provider filtered the request or its answer, or one of its choices",
        0.15,
        falls=True,
        level="ticket",
    ),
    Rate("failing_tool", "tool_error", "sessions with a call of a tool", "the tool ended in an error", 0.15),
    Rate(
        "prompt_pii",
        "prompt_pii",
        "sessions with a model call",
        "a guard on the input reported personal data or a secret",
        0.15,
        level="ticket",
        axis="security",
    ),
    Rate(
        "quality",
        "quality",
        "sessions with a model output",
        "a guard or judge found it ungrounded, irrelevant, off topic, misinforming or biased",
        0.15,
        level="ticket",
        axis="quality",
    ),
    Rate(
        "goal_hijack",
        "injection",
        "sessions with a step of an agent, or a call that asked for a tool, that a guard judged",
        "a guard reported on a plan, an action or an answer of an agent that its aim was changed",
        0.02,
        axis="security",
    ),
    Rate(
        "memory_poisoning",
        "injection",
        "sessions with a step of an agent that a guard judged",
        "a guard reported that what an agent is to remember was poisoned",
        0.02,
        axis="security",
    ),
    Rate(
        "inter_agent",
        "tool",
        "sessions with a step of an agent that a guard judged",
        "a guard reported that a message between agents was forged or abused",
        0.02,
        axis="security",
    ),
    Rate(
        "privilege_abuse",
        "tool",
        "sessions with a step of an agent, or a call that asked for a tool, that a guard judged",
        "a guard reported on a step of an agent that identity or rights were abused",
        0.02,
        axis="security",
    ),
)
"""Rates that each event says for itself. Order is part of the contract of stored state: new rates go at the end."""

TRACE_RATES: Final[tuple[Rate, ...]] = (
    Rate(
        "cascade",
        "cascade",
        "steps of a trace that follow an unsafe step",
        "the step is unsafe again",
        0.5,
        axis="security",
    ),
)
"""Rates that show only when the events of a trace are seen together, in their order."""

OF_AGENTS: Final = ("goal_hijack", "memory_poisoning", "inter_agent", "privilege_abuse")
"""Rates of what happens to agents alone; each is the rate of the category of its name."""

CASCADING: Final = ("unsafe_attempted", "leak", "denied_tool", "error", *OF_AGENTS)
"""Rates that make a step of a trace an unsafe one."""

WATCHED: Final = RATES + TRACE_RATES
FAMILY_AXES: Final = {rate.family: rate.axis for rate in WATCHED}
"""Axis of what each family of findings and incidents is about."""
