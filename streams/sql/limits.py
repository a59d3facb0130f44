"""How much each user of the SQL endpoint may ask, and when the next password of a guesser is looked at."""

import time
from collections.abc import Callable
from typing import Final

from streams.access.limits.bursts import BURSTS
from streams.access.limits.pace import Over, Pace
from streams.access.limits.tries import Tries, network
from streams.health.metrics import FAILED
from streams.settings import Settings
from streams.sql.errors import too_many


class UserLimits:
    """The limits of the endpoint; each raises `SqlError` with code 201, QUOTA_EXCEEDED, where it is reached.

    Parameters
    ----------
    clock
        Seconds that only grow.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._own: Final = settings.sql_user
        self._tries: Final = Tries(settings.lockout_tries, settings.lockout_seconds, clock)
        self._users: Final = Pace(settings.sql_questions_a_minute, clock)
        self._strangers: Final = Pace(settings.strangers_a_minute, clock)

    def check(self, address: str, name: str, password: str) -> None:
        """Raise where no password of an address and name is looked at now, a right one neither."""
        if seconds := self._tries.wait(address, name):
            FAILED.labels("sql").inc()
            if not self.was_wrong(address, name, password):
                BURSTS.note("sql", address, name)
            raise too_many(f"too many wrong passwords for {name}", Over(seconds))

    def was_wrong(self, address: str, name: str, password: str) -> bool:
        """Tell whether a password is known to be wrong: a client that asks with it all day costs nothing."""
        return self._tries.was_wrong(address, name, password)

    def told(self, address: str, name: str, password: str, *, right: bool) -> None:
        """Count what was found of a password."""
        if right:
            self._tries.right(address, name)
        else:
            if self._tries.failed(address, name, password):
                BURSTS.note("sql", address, name)
            FAILED.labels("sql").inc()

    def stranger(self, address: str) -> None:
        """Count a request of nobody."""
        if over := self._strangers.take(network(address)):
            raise too_many(f"more than {self._strangers.a_minute} requests a minute without a password", over)

    def question(self, name: str) -> None:
        """Count a question of a user; Watchkeeper's own asks for all who look at the console."""
        if name != self._own and (over := self._users.take(name)):
            raise too_many(f"{name} asks more than {self._users.a_minute} questions a minute", over)
