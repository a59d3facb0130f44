"""What people make of tickets: whether one was real, and which kind of them need not be looked at for a while."""

from typing import Literal

from .events import Envelope
from .fields import Name, Reference, UnixNano
from .incidents import Actor

Decision = Literal["real", "false", "known", "mute", "unmute"]


class Triage(Envelope, frozen=True, tag="ai.safety.triage.v1"):
    """One judgement of one ticket, or one word about the tickets of a metric of a service, on ``triage.v1``.

    The last word about a ticket counts. A ticket that is `known` was real and is dealt with elsewhere. To mute takes a
    reason and an end, because nobody remembers what is silent for ever; pages are never muted.
    """

    decision: Decision
    actor_kind: Actor
    actor_id: Name
    finding_id: Name | None = None
    metric: Name | None = None
    reason: Reference | None = None
    expires_at: UnixNano | None = None

    def __post_init__(self) -> None:
        if self.decision in ("real", "false", "known"):
            if not self.finding_id:
                raise ValueError(f"a ticket that is called {self.decision} needs `finding_id`: which one it is")
        elif not self.metric:
            raise ValueError(f"to {self.decision} needs `metric`: of which tickets")
        if self.decision == "mute" and not (self.reason and self.expires_at):
            raise ValueError("to mute needs `reason` and `expires_at`: why, and until when")
