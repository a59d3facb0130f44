"""Text of strangers that comes into a trace, and the steps that it may have steered there."""

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.findings import Finding
from streams.kafka.checkpoints import Arrays
from streams.policy.tools import ToolRules, breach_after_strangers, brings_strangers
from streams.watch.single.acts import Act
from streams.watch.single.remembered import Remembered
from streams.watch.single.tools import breach_finding

MOST_TEXTS: Final = 3
"""Of a trace, the first of them; more would only make the path longer."""


class Tainted(msgspec.Struct, array_like=True):
    """A trace with text of strangers: since when, by which names, in which tick it was met last, and what was told."""

    since: int
    tick: int
    texts: list[str] = []
    told: list[str] = []


class Strangers:
    """The traces of one partition into which text of strangers came."""

    def __init__(self, tick_seconds: int) -> None:
        self._traces: Final = Remembered(Tainted, tick_seconds)

    def seen(self, rules: ToolRules, act: Act, tick: int, trace: int, time: int) -> Finding | None:
        """Take one event, and return a finding where text of strangers may not have steered it."""
        known, came = self._traces.take(trace, tick), list(_texts(rules, act))
        if known is None and not came:
            return None
        known = known or Tainted(time, tick)
        known.since, known.tick = min(known.since, time) if came else known.since, tick
        self._traces.keep(trace, known)
        found = _steered(rules, act, known) if known.since <= time else None
        known.texts = [*known.texts, *(name for name in came if name not in known.texts)][:MOST_TEXTS]
        return found

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return self._traces.state()

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._traces.restore(state)


def _steered(rules: ToolRules, act: Act, known: Tainted) -> Finding | None:
    """Return the finding of a step that text before it, or in it, may not have steered, told once a trace."""
    if act.step is None or rules.level == "off":
        return None
    before = known.texts or [name for _, name in act.texts][:MOST_TEXTS]  # what it gives back steers what follows
    broken = breach_after_strangers(rules, act.step) if before else None
    if broken is None or broken.category in known.told:
        return None
    known.told = [*known.told, broken.category]
    return breach_finding(("strangers",), act.event, rules, [broken], [*before, act.step.tool, act.step.host])


def _texts(rules: ToolRules, act: Act) -> Iterator[str]:
    """Yield the names of text of strangers that an event brings into its trace."""
    for trust, name in act.texts:
        if not trust:
            yield name
        elif trust not in rules.vetted:
            yield f"document {name} (trust: {trust})"
    if act.step is not None and brings_strangers(rules, act.step):
        yield f"result of {act.step.tool}"
