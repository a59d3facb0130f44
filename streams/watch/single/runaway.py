"""Traces that run away: more steps or hand-overs than the rules allow, or one call again and again."""

from collections.abc import Iterator

import msgspec

from schemas.findings import Finding
from streams.kafka.checkpoints import Arrays
from streams.policy.tools import Breach, ToolRules, done
from streams.watch.single.acts import Act
from streams.watch.single.remembered import Remembered
from streams.watch.single.tools import breach_finding

MOST_CALLS = 64
"""Different calls that are counted of a trace; a loop comes back to one of the latest."""
MOST_AGENTS = 5
"""Names that are shown."""


class Run(msgspec.Struct, array_like=True):
    """A trace: its steps, its hand-overs, how often each call came, the agents in it, and which limits it broke."""

    tick: int
    steps: int = 0
    handovers: int = 0
    calls: dict[str, int] = {}
    agents: list[str] = []
    told: list[str] = []


class Runaway:
    """The traces of one partition of which the rules limit something."""

    def __init__(self, tick_seconds: int) -> None:
        self._runs = Remembered(Run, tick_seconds)

    def seen(self, rules: ToolRules, act: Act, tick: int, trace: int) -> Finding | None:
        """Count one step, and return a finding where it is the first beyond a limit."""
        if not rules.limits() or "step_kind" not in act.event:
            return None
        known = self._runs.take(trace, tick) or Run(tick)
        known.tick = tick
        call = _counted(known, act)
        self._runs.keep(trace, known)
        new = [(limit, words) for limit, words in _over(rules, known, act, call) if limit not in known.told]
        known.told = [*known.told, *(limit for limit, _ in new)]
        if not new or rules.level == "off":
            return None
        broken = [Breach("sec.rogue_agent", words) for _, words in new]
        return breach_finding(("runaway",), act.event, rules, broken, known.agents or [act.event["service_name"]])

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return self._runs.state()

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._runs.restore(state)


def _counted(known: Run, act: Act) -> int:
    """Count a step, and return how often its call came; 0 where it does not say what it was called with."""
    event = act.event
    known.steps += 1
    known.handovers += event["step_kind"] == "handoff"
    agent = event["agent_name"]
    if agent and agent not in known.agents:
        known.agents = [*known.agents, agent][:MOST_AGENTS]
    if act.step is None or not event["args_hash"] or not done(act.step):
        return 0
    name = f"{act.step.tool}\x1f{event['args_hash']}"
    times = known.calls.get(name, 0) + 1
    others = [(key, count) for key, count in known.calls.items() if key != name]
    known.calls = dict([*others[-MOST_CALLS + 1 :], (name, times)])
    return times


def _over(rules: ToolRules, known: Run, act: Act, call: int) -> Iterator[tuple[str, str]]:
    tool = act.step.tool if act.step is not None else ""
    for limit, most, number, what in (
        ("steps", rules.most_steps, known.steps, "steps in one trace"),
        ("handovers", rules.most_handovers, known.handovers, "hand-overs in one trace"),
        ("repeats", rules.most_repeats, call, f"calls of {tool} with the same arguments in one trace"),
    ):
        if most is not None and number > most:
            yield limit, f"{number} {what}, {most} at most"
