"""When wrong tokens and passwords are so many that people should know: once for each episode.

Whoever guesses from one address is an episode of that address; who guesses at one name from several, of that name; who
has many of both, of the installation. What belongs to the one is not counted for the others.
"""

import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct, field

from streams.access.limits.tries import network

MOST: Final = 20
"""Wrong ones within `WITHIN_SECONDS` that are an episode, of an address or a name."""
MOST_OF_ALL: Final = 100
"""The same of all together."""
WITHIN_SECONDS: Final = 600.0
QUIET_SECONDS: Final = 1_800.0
"""After how long without a wrong one an episode is over."""
SEVERAL: Final = 3
"""Addresses without which it is no episode of a name, nor of all."""
REMEMBERED: Final = 10_000

What = Literal["address", "name", "all"]


class Burst(Struct, frozen=True):
    """An episode that began.

    `times` are how many wrong ones there were in how many `seconds`, from how many `addresses`; `address` is that of
    an episode of one. `began` and `at` are Unix nanoseconds, `name` tells episodes apart.
    """

    what: What
    door: str
    address: str
    addresses: int
    times: int
    seconds: float
    began: int
    at: int
    name: str


class _Seen(Struct):
    tried: list[tuple[float, str]] = field(default_factory=list)
    last: float = 0.0
    alarmed: bool = False


class Bursts:
    """What was wrong lately; may be used from any thread.

    Parameters
    ----------
    clock
        Seconds that only grow.
    wall
        Unix nanoseconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = time.time_ns,
        most: int = REMEMBERED,
    ) -> None:
        self._clock: Final = clock
        self._wall: Final = wall
        self._most: Final = most
        self._key: Final = secrets.token_bytes(32)
        self._lock: Final = threading.Lock()
        self._seen: Final[OrderedDict[tuple[What, str], _Seen]] = OrderedDict()
        self._begun: list[Burst] = []

    def note(self, door: str, address: str, name: str) -> None:
        """Note a wrong token or password.

        Parameters
        ----------
        door
            Where: `api`, `sql`.
        name
            What was claimed; nothing of it is kept or told.
        """
        place = network(address)
        keys: list[tuple[What, str]] = [("address", place), ("name", self._digest(name)), ("all", "")]
        with self._lock:
            for what, key in keys if name else (keys[0], keys[2]):
                if self._in_episode(what, key, door, place):
                    return

    def _digest(self, name: str) -> str:
        """Return what tells a name from others, and is nothing that somebody typed: it may have been a secret."""
        return hmac.new(self._key, name.encode("utf-8", "surrogatepass"), "sha256").hexdigest()

    def due(self) -> list[Burst]:
        """Return the episodes that have begun since this was asked last."""
        with self._lock:
            begun, self._begun = self._begun, []
            return begun

    def _in_episode(self, what: What, key: str, door: str, place: str) -> bool:
        """Count one, and tell whether it is part of an episode, be it that one begins."""
        now, seen = self._clock(), self._seen.pop((what, key), None) or _Seen()
        self._seen[what, key] = seen
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        if seen.alarmed and now - seen.last <= QUIET_SECONDS:
            seen.last = now
            return True
        if seen.alarmed:
            seen = self._seen[what, key] = _Seen()
        most, several = (MOST_OF_ALL if what == "all" else MOST), (1 if what == "address" else SEVERAL)
        recent = [each for each in seen.tried if now - each[0] <= WITHIN_SECONDS]
        seen.tried = [*recent[1 - most :], (now, place)]
        addresses = {place for _, place in seen.tried}
        seen.last, seen.alarmed = now, len(seen.tried) >= most and len(addresses) >= several
        if seen.alarmed:
            self._begun.append(self._burst(what, door, seen.tried, addresses))
            seen.tried = []
        return seen.alarmed

    def _burst(self, what: What, door: str, tried: list[tuple[float, str]], addresses: set[str]) -> Burst:
        at, seconds, name = self._wall(), tried[-1][0] - tried[0][0], secrets.token_hex(8)
        address = tried[-1][1] if what == "address" else ""
        return Burst(what, door, address, len(addresses), len(tried), seconds, at - round(seconds * 1e9), at, name)


BURSTS: Final = Bursts()
"""Of this process."""
