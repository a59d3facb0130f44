"""Acts that take two persons: what is asked for, what another says to it, and that it was carried out."""

import hashlib
from typing import Annotated, Final, Literal, get_args

from msgspec import Meta

from .events import Envelope
from .fields import Identity, Name, Reference, UnixNano
from .incidents import Actor

Act = Literal["lift_kill_switch", "publish_policy", "mute_severe", "erasure"]
ACTS: Final[tuple[Act, ...]] = get_args(Act)
Step = Literal["requested", "approved", "refused", "broken_glass", "carried_out"]


class Approval(Envelope, frozen=True, tag="ai.safety.approval.v1"):
    """One step of one act that takes two persons, on ``approvals.v1``; signed in the header of its message.

    `content` of a request is what is carried out, word for word: the JSON of the records that are then written. Every
    step has its hash, so that what is approved is what was asked for. `broken_glass` says that whoever asked does it
    alone, and why; the monitor itself says `carried_out`.
    """

    request_id: Identity
    step: Step
    act: Act
    content_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the content of the request")]
    actor_kind: Actor
    actor_id: Identity
    token_id: Name | None = None
    reason: Reference | None = None
    content: Annotated[str, Meta(max_length=524_288, description="JSON of what is to be written")] | None = None
    expires_at: UnixNano | None = None

    def __post_init__(self) -> None:
        if self.step == "requested":
            if not (self.content and self.expires_at and self.reason):
                raise ValueError("a request needs `content`, `expires_at` and `reason`: what, until when, and why")
            if hash_of(self.content) != self.content_hash:
                raise ValueError("`content_hash` of a request is not that of its content")
        elif self.content is not None:
            raise ValueError("only a request has `content`")


def hash_of(content: str) -> str:
    """Return what stands for the content of a request in all of its steps."""
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()
