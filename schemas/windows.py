"""``windows.v1``: what one partition of ``inference.v1`` saw in one tick of event time, as mergeable sums.

A window is a pure function of the log: the same partition gives the same windows whoever reads it, in whatever
batches, however often. `(source_topic_id, source_partition, tick)` is its identity and a repeat is equal.
"""

import zlib
from typing import Final

from msgspec import Struct

from .fields import Count, Identity, Index, Name

Group = tuple[str, str, str, str]
"""Tenant, service, model version and deployment variant."""

OTHER: Final[Group] = ("~other", "~other", "~other", "")

UNKNOWN_VERSION: Final = "~unknown"
"""The version of events of which nobody knows what answered them: they count in the service as a whole alone."""

OTHER_OF: Final = "~other of "
"""Before the name of a source: its services that found no place."""

MAX_GROUPS: Final = 2_000
"""Groups that one tick of one partition may name; the smallest of any more are summed as `OTHER`."""

MOST_OWNERS: Final = 200
"""Those whose refused records are told apart in a tick."""

MAX_NAMES: Final = 40
"""Names of one mix that a group may show in one tick; the least of any more are counted as ``~other``."""

MAX_AGENTS: Final = 40
"""Agents of one service that are told apart in one tick; the least active of any more are one, ``~other``."""

MOST_BEHAVING: Final = 200
"""Services whose agents are told apart in one tick of one partition; the least active of any more are left out."""

OF_AGENT: Final = "\x1f"
"""Between a mix or quantity and the agent whose it is."""

MAX_SAMPLES: Final = 16
"""Samples of one group in one tick of one partition."""

COMPARED: Final = ("canary", "stable")
"""Deployment variants that stand side by side: the first is held against the second."""

MAX_PROMPTS: Final = 20
"""Prompts of one group that are told apart in one tick; those of the fewest events are left out."""

AT: Final = "@"
"""Between the name of a prompt, or of a source, and its version."""

GUARD_COUNTS: Final = ("ok", "error", "timeout", "skipped", "partial", "uncovered")
"""Guard results by status, and outputs for which no guard gave a verdict at all."""


class Sums(Struct, frozen=True, array_like=True):
    """Sums of one rate: sessions tried and flagged, and the events behind them."""

    trials: Count = 0
    flagged: Count = 0
    events: Count = 0
    flagged_events: Count = 0


class Sample(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event that was chosen to show its text vector (see `schemas.signals`), never its text."""

    event_id: Identity
    vector: str
    user: Name | None = None
    flagged: bool = False
    """Whether a guard found an attack or a hazard in it."""


class PromptSums(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What of a group was answered with one version of a prompt: rates, quantities and mixes as the group has them."""

    rates: dict[str, Sums] = {}
    quantities: dict[str, dict[str, Count]] = {}
    mixes: dict[str, dict[str, Count]] = {}


class GroupSums(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sums of one (tenant, service, model version, variant) in one tick of one partition.

    `quantities` are histograms by quantity and bin (`schemas.quantities`), `mixes` counts of sessions by mix and
    name, `guards` guard results by status with ``uncovered`` beside them. `samples` are at most a few of the
    events that came with a text vector; `sampled_from` is how many those were. `refused` counts records of the
    service that the contract refused while the tick was the newest; a group of those alone has no events. `orphans`
    counts verdicts that travelled alone and never met the event that they judged.

    What agents of a service did stands in a group without tenant, version or events: under the names of
    `schemas.quantities.AGENT_MIXES` and `AGENT_QUANTITIES`, each with `OF_AGENT` and the name of the agent behind it.

    `prompts` are there where a variant stands beside another: by prompt and version (``name@version``), what of the
    group was answered with it. They are no further events.

    A rate may have flags without trials: a verdict came after the tick of the event that it judged was closed. Such a
    flag takes the place of an unflagged trial that follows.
    """

    tenant_id: Name
    service_name: Name
    model_version: Name
    variant: Name = ""
    events: Count
    calls: Count = 0
    late: Count = 0
    refused: Count = 0
    orphans: Count = 0
    rates: dict[str, Sums] = {}
    quantities: dict[str, dict[str, Count]] = {}
    mixes: dict[str, dict[str, Count]] = {}
    guards: dict[str, Count] = {}
    prompts: dict[str, PromptSums] = {}
    samples: list[Sample] = []
    sampled_from: Count = 0


class Window(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of one tick of one source partition that belongs to one partition of ``windows.v1``.

    Every tick is sent to every partition of ``windows.v1``, empty where nothing belongs there: that is how a
    reader knows that the source has closed it. `first_tick` is the first tick the window stands for: a source
    that jumps over silent ticks closes them all with one window.
    """

    source_topic: Identity
    source_topic_id: Identity
    source_partition: Index
    source_partitions: Count
    tick_seconds: Count
    first_tick: Count
    tick: Count
    groups: list[GroupSums] = []


def partition_of(service: str, partitions: int) -> int:
    """Return the partition of the windows that a service belongs to."""
    return zlib.crc32(service.encode()) % partitions
