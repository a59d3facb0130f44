"""What a client is given as its context of TLS, whose connections are each made with the files of then."""

import ssl
from typing import Any, Final, Self

from streams.health.renewed import Renewed

CHANGED: Final = "a changed certificate can't be used, the one before it is shown"


class Calling(ssl.SSLContext):
    """What a client is given as its context, once; each connection that it opens then is made with the files of then.

    Both ways of `ssl` to open one are those of the context of now: `wrap_bio` is asyncio's, `wrap_socket` everybody
    else's. The rest of this one is as it comes: it trusts nobody.
    """

    renewed: Renewed[ssl.SSLContext]

    def __new__(cls, renewed: Renewed[ssl.SSLContext]) -> Self:
        """Return a client's context."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.renewed = renewed
        return made

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """Begin a connection between two buffers."""
        return self.renewed.now().wrap_bio(*arguments, **named)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """Begin a connection on a socket."""
        return self.renewed.now().wrap_socket(*arguments, **named)
