"""Whose data were erased, without saying whose: what replays and later records respect."""

from typing import Annotated, Literal

from msgspec import Meta

from .events import Envelope
from .fields import Identity, Name, Reference

Subject = Literal["user", "session", "tenant"]


class Erasure(Envelope, frozen=True, tag="ai.safety.erasure.v1"):
    """That everything was to be erased that named somebody until a time, on ``erasures.v1``, which is kept for ever.

    The value itself is not in it: `subject_hash` is its keyed hash, `key_id` tells which key that was. What came to
    pass after `time_unix_nano` is not meant.
    """

    subject: Subject
    subject_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="HMAC-SHA256 of what named somebody")]
    key_id: Identity
    actor_id: Name
    reason: Reference
