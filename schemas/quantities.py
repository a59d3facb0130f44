"""The quantities and mixes that are watched beside the rates.

A window carries histograms and not values: they add up over partitions and ticks, and no tail is lost to a mean.
"""

from typing import Final

from msgspec import Struct

BINS: Final = 160
"""Bins of any quantity: eight to a doubling up to 2^20 (17 minutes, a million tokens), or hundredths of a score."""


class Quantity(Struct, frozen=True):
    """A watched quantity. `scale` is ``log`` (positive, over decades) or ``unit`` (0 to 1)."""

    name: str
    unit: str
    text: str
    scale: str = "log"


QUANTITIES: Final[tuple[Quantity, ...]] = (
    Quantity("latency", "ms", "duration of a model call"),
    Quantity("time_to_first_token", "ms", "time to the first piece of a streamed answer"),
    Quantity("input_tokens", "tokens", "tokens sent to the model"),
    Quantity("output_tokens", "tokens", "tokens that the model wrote"),
    Quantity("step_latency", "ms", "duration of an agent step"),
    Quantity("guard_score", "probability", "highest probability that a guard gave to a finding", "unit"),
)
"""Order is part of the contract of stored detector state: new quantities go at the end."""

MIXES: Final = ("category", "model", "source", "tool", "finish", "language")
"""What is counted by name: hazard categories, models, data sources, tools, finish reasons, languages of the input."""

VERSION_MIXES: Final = ("prompt", "index")
"""What has versions beside the model, by name and version: the prompts of calls, and the indexes that were searched.

They are counted as mixes are, and watched for versions that are new; a share of them is no norm of anything."""

AGENT_MIXES: Final = ("agent_step", "agent_order")
"""The same of each agent: its steps (tools by their names, others by their kinds), and which step follows which."""

AGENT_QUANTITIES: Final[tuple[Quantity, ...]] = (
    Quantity("trace_steps", "steps", "steps that an agent took in one trace, counted when the trace is over"),
)
"""Quantities of each agent."""
