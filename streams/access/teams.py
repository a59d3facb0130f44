"""Whose services somebody sees: patterns of names, held for as long as a request is answered.

Everything that reads or acts for a request asks here, and nowhere else: the store through its filters, the incidents,
and what is said of a service. Where no request is answered, in a worker or a command, nothing is limited.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Final

from pydantic import BaseModel, Field, StringConstraints

Services = tuple[str, ...] | None
"""Patterns of the services that somebody sees, in which `*` stands for anything; None for all there are."""

EVERY: Final = "*"
"""The team of whoever sees everything although the policy names teams."""

TEAM: Final = "^[a-z0-9_-]{1,64}$"
TeamName = Annotated[str, StringConstraints(pattern=TEAM)]
Pattern = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]+$")]

_seen: Final[ContextVar[Services]] = ContextVar("services", default=None)


class Team(BaseModel, extra="forbid", frozen=True):
    """A team, and the services that it owns: names, or patterns such as `shop-*`."""

    services: Annotated[list[Pattern], Field(min_length=1)]


def services_of(named: Sequence[str], roles: Sequence[str], teams: Mapping[str, Team]) -> Services:
    """Return the services of somebody.

    Where the policy names no team, who has none sees all. Where it does, that is for `admin`s and for who has the team
    `*`; who has none sees nothing, and a team that the policy does not name has nothing.

    Parameters
    ----------
    named, roles
        The teams and the roles of somebody.
    teams
        Those of the policy.

    >>> teams = {"shop": Team(services=["shop-*", "cart"])}
    >>> services_of(["shop"], ["responder"], teams), services_of([], ["responder"], teams)
    (('cart', 'shop-*'), ())
    >>> services_of([], ["admin"], teams), services_of([], ["responder"], {}), services_of(["gone"], ["admin"], {})
    (None, None, ())
    """
    if EVERY in named or (not named and (not teams or "admin" in roles)):
        return None
    return tuple(sorted({each for name in named if name in teams for each in teams[name].services}))


def matches(services: Services, name: str) -> bool:
    """Tell whether a service is among those of somebody.

    >>> matches(("shop-*",), "shop-a"), matches(("shop-*",), "ashop-a"), matches((), "a"), matches(None, "a")
    (True, False, False, True)
    """
    return services is None or any(_expression(each).fullmatch(name) for each in services)


def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split(EVERY))), re.DOTALL)


def seen() -> Services:
    """Return the services that may be seen here and now."""
    return _seen.get()


def sees(name: str) -> bool:
    """Tell whether a service may be seen here and now."""
    return matches(_seen.get(), name)


def require(*names: str) -> None:
    """Refuse what is said of services that may not be seen; it makes no difference whether they exist.

    Raises
    ------
    ValueError
        With the first of them.
    """
    for name in names:
        if not sees(name):
            raise ValueError(f"{name[:256]!r} is no service of your teams: nothing was done")


def enter(services: Services) -> None:
    """Let the rest of this request see these services alone."""
    _seen.set(services)


@contextmanager
def limited(services: Services) -> Iterator[None]:
    """Let what is done inside see these services alone."""
    token = _seen.set(services)
    try:
        yield
    finally:
        _seen.reset(token)
