"""What whoever runs the translation decides: text, users, tenants, patience."""

import hmac
from hashlib import sha256
from typing import Final

from msgspec import Struct

from schemas.fields import NANO
from schemas.pseudonyms import pseudonym

MAX_TEXT: Final = 262_144
"""Characters of a text that is kept; as many as the contract takes."""


class Rules(Struct, frozen=True, kw_only=True):
    """Decisions that are no part of what was said.

    Parameters
    ----------
    tenant_attribute
        Of the resource, else of the span; the value is the tenant. Empty for none.
    keep_text
        Whether the user's last text and the answer stay in the event. They are measured either way.
    hash_key
        Key of the HMAC-SHA256 of texts; without one, texts are hashed plainly.
    user_key
        Key of the pseudonyms of users; without one an id stays as the service wrote it, and the door takes care of
        addresses (`streams.identifiers.guard`).
    wait_nano
        How long a span waits for its root, in nanoseconds of the clock that `Traces.add` is given.
    settle_nano
        How long a call that does not say how it ended waits for a log record that does.
    most_spans
        Spans that are remembered at most; the oldest traces are finished first.
    """

    tenant_attribute: str = ""
    keep_text: bool = False
    hash_key: bytes = b""
    user_key: bytes = b""
    wait_nano: int = 10 * NANO
    settle_nano: int = 0
    most_spans: int = 100_000

    def hashed(self, text: str) -> str:
        """Return what stands for a text: the same for the same text, of the length of SHA-256."""
        data = text.encode("utf-8", "replace")
        if self.hash_key:
            return "hmac-sha256:" + hmac.new(self.hash_key, data, sha256).hexdigest()
        return "sha256:" + sha256(data).hexdigest()

    def user(self, user_id: str) -> str:
        """Return the pseudonym of a user, where all of them have one.

        >>> Rules().user("u-17"), Rules(user_key=b"0123456789abcdef").user("u-17")[:9]
        ('u-17', 'u1_610769')
        """
        return pseudonym(user_id, self.user_key) if self.user_key else user_id
