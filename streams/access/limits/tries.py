"""Who has given wrong tokens or passwords waits before the next is looked at, twice as long each time.

What counts, and why. A lock on a name alone would let anybody keep anybody out (OWASP, Authentication Cheat Sheet), and
one on an address alone would let whoever has many addresses guess on. So:

- an address that was wrong under a name waits with that name, also with the right password: else it would be told;
- one that was wrong under many names waits with all but those that it has come in with before;
- a name that was guessed at from many addresses has those wait that were wrong themselves. Whoever comes from elsewhere
  has a try, and with the right password is in: nobody is kept out for good.

The same wrong one again tells a guesser nothing and counts once: a client that still has the password of yesterday
locks nobody out. A right one makes past tries forgotten for that address and name (NIST SP 800-63B, 5.2.2).
"""

import hmac
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field

MOST: Final = 10_000
"""Addresses, names and pairs that are remembered."""
MANY_NAMES: Final = 4
"""How many times as many tries an address has under all names together, and a name from all addresses."""
FORGOTTEN_SECONDS: Final = 3_600.0
"""After how long without a wrong one tries are forgotten."""
WRONG_KEPT: Final = 8
"""Wrong ones that are known again, as keyed digests."""
_LONGEST_ADDRESS: Final = 64
_IPV6_BITS: Final = 64
_ANY: Final = "\x00"
"""Stands for all addresses, and all names."""


class _Tried(Struct):
    times: int = 0
    until: float = 0.0
    last: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Tries:
    """What was wrong, and who came in; may be used from any thread.

    Parameters
    ----------
    free
        Wrong ones before somebody has to wait.
    longest
        The longest that somebody waits, in seconds.
    clock
        Seconds that only grow.
    """

    def __init__(
        self, free: int, longest: float, clock: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        self._free: Final = free
        self._longest: Final = longest
        self._clock: Final = clock
        self._most: Final = most
        self._key: Final = secrets.token_bytes(32)
        self._lock: Final = threading.Lock()
        self._tried: Final[OrderedDict[tuple[str, str], _Tried]] = OrderedDict()
        self._came_in: Final[OrderedDict[tuple[str, str], None]] = OrderedDict()

    def wait(self, address: str, name: str = "") -> float:
        """Return for how many seconds nothing is looked at that comes from an address under a name; 0 where it is."""
        place, name = network(address), self._digest(name)
        with self._lock:
            waits = [self._until(place, name)]
            if (place, name) not in self._came_in:
                waits.append(self._until(place, _ANY))
                if self._times(place, _ANY):
                    waits.append(self._until(_ANY, name))
            return max(0.0, *(until - self._clock() for until in waits))

    def was_wrong(self, address: str, name: str, given: str) -> bool:
        """Tell whether something is known to be wrong for a name, from this address."""
        with self._lock:
            found = self._tried.get((network(address), self._digest(name)))
            return found is not None and self._digest(given) in found.wrong

    def failed(self, address: str, name: str, given: str) -> bool:
        """Count what was wrong, and tell whether it was another than those before it."""
        place, name = network(address), self._digest(name)
        digest = self._digest(given)
        with self._lock:
            pair = self._of((place, name))
            if digest in pair.wrong:
                return False
            pair.wrong = [*pair.wrong, digest][-WRONG_KEPT:]
            self._count(pair, self._free)
            if name:
                self._count(self._of((place, _ANY)), MANY_NAMES * self._free)
                self._count(self._of((_ANY, name)), MANY_NAMES * self._free)
            return True

    def right(self, address: str, name: str = "") -> None:
        """Forget what was wrong before, of this address and name alone."""
        pair = network(address), self._digest(name)
        with self._lock:
            self._tried.pop(pair, None)
            self._came_in[pair] = None
            self._came_in.move_to_end(pair)
            while len(self._came_in) > self._most:
                self._came_in.popitem(last=False)

    def _digest(self, text: str) -> str:
        """Return what is kept of what somebody typed, who may have typed a secret; nothing where it is nothing."""
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest() if text else ""

    def _of(self, key: tuple[str, str]) -> _Tried:
        found = self._tried.pop(key, None)
        if found is None or self._clock() - found.last > FORGOTTEN_SECONDS:
            found = _Tried()
        self._tried[key] = found
        while len(self._tried) > self._most:
            self._tried.popitem(last=False)
        return found

    def _count(self, tried: _Tried, free: int) -> None:
        tried.times, tried.last = tried.times + 1, self._clock()
        if tried.times >= free:
            tried.until = tried.last + min(2.0 ** min(tried.times - free, 60), self._longest)

    def _until(self, place: str, name: str) -> float:
        found = self._tried.get((place, name))
        return 0.0 if found is None else found.until

    def _times(self, place: str, name: str) -> int:
        found = self._tried.get((place, name))
        return 0 if found is None else found.times

    def __len__(self) -> int:
        """Return how many places, names and pairs are remembered."""
        return len(self._tried) + len(self._came_in)


def network(address: str) -> str:
    """Return what of an address is one caller's: of IPv6 the first 64 bits, as a machine has many of the others.

    >>> network("192.0.2.7"), network("2001:db8::1:2"), network("::ffff:192.0.2.7"), network("")
    ('192.0.2.7', '2001:db8::', '192.0.2.7', '')
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST_ADDRESS]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _IPV6_BITS), strict=False).network_address)
