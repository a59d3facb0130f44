"""What the sums of a tick need to know of the ticks before it."""

from typing import Final

from detectors.base import State
from detectors.columns import prefixed, under
from streams.watch.behaviour import Behaviour
from streams.watch.known import KnownVersions
from streams.watch.sessions import FlaggedSessions
from streams.watch.verdicts import Verdicts


class Memory:
    """What one partition remembers from tick to tick.

    Parameters
    ----------
    ticks
        For how long sessions and traces are remembered.
    tick_seconds
        Length of a tick.
    """

    def __init__(self, ticks: int, tick_seconds: int) -> None:
        self.flagged: Final = FlaggedSessions(ticks)
        self.flagged_of_prompts: Final = FlaggedSessions(ticks)
        self.unsafe_traces: Final = FlaggedSessions(ticks)
        """Traces whose latest step was unsafe."""
        self.versions: Final = KnownVersions(tick_seconds)
        self.verdicts: Final = Verdicts(tick_seconds)
        self.behaviour: Final = Behaviour(tick_seconds)

    def state(self) -> State:
        """Return the memory as flat arrays."""
        return {
            **prefixed("flagged_", self.flagged.state()),
            **prefixed("prompts_", self.flagged_of_prompts.state()),
            **prefixed("traces_", self.unsafe_traces.state()),
            **prefixed("versions_", self.versions.state()),
            **prefixed("verdicts_", self.verdicts.state()),
            **prefixed("behaviour_", self.behaviour.state()),
        }

    def restore(self, state: State) -> None:
        """Take over the memory that `state` returned."""
        self.flagged.restore(under("flagged_", state))
        self.flagged_of_prompts.restore(under("prompts_", state))
        self.unsafe_traces.restore(under("traces_", state))
        self.versions.restore(under("versions_", state))
        self.verdicts.restore(under("verdicts_", state))
        self.behaviour.restore(under("behaviour_", state))
