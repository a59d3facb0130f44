"""People who have signed in elsewhere, at an OpenID provider or a proxy: their names, and what their groups may."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote

from streams.access.roles import ROLES, Role
from streams.access.teams import EVERY, TEAM
from streams.settings import SettingsError, variable

OIDC: Final = "oidc/"
PROXY: Final = "proxy/"
PREFIXES: Final = (OIDC, PROXY)
"""Begin the names of who signed in there: no token has such a name, so that neither speaks for the other."""
_NAME: Final = re.compile(r"[^/\s](?:[^/]{0,118}[^/\s])?")

Roles = Mapping[str, tuple[Role, ...]]
Teams = Mapping[str, tuple[str, ...]]


def named(prefix: str, said: str) -> str:
    """Return the name that somebody has here.

    Raises
    ------
    ValueError
        Where it can be none.

    >>> named(OIDC, "Kim Lee")
    'oidc/Kim Lee'
    """
    name = unicodedata.normalize("NFKC", said)
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise ValueError("the name has a character that no name has here, or more than 120")
    return prefix + name


def role_map(text: str, setting: str = "oidc_roles") -> dict[str, tuple[Role, ...]]:
    """Return the roles by group, as a setting says them.

    Raises
    ------
    SettingsError
        Where a pair is none, or its role is not one of people.

    >>> role_map("sre=responder, sre=reviewer,cn=a%2Cou=b=viewer")
    {'sre': ('responder', 'reviewer'), 'cn=a,ou=b': ('viewer',)}
    """
    found: dict[str, tuple[Role, ...]] = {}
    for pair, group, word in _pairs(text):
        role = next((each for each in ROLES if each == word), None)
        if not group or role is None or role == "service":
            people = ", ".join(each for each in ROLES if each != "service")
            raise SettingsError(f"{variable(setting)}: {pair!r} is not GROUP=ROLE with a role of {people}")
        found[group] = (*found.get(group, ()), role)
    return found


def team_map(text: str, setting: str = "oidc_teams") -> dict[str, tuple[str, ...]]:
    """Return the teams by group, as a setting says them.

    Raises
    ------
    SettingsError
        Where a pair is none.

    >>> team_map("sre=shop, sre=mail,lead=*")
    {'sre': ('shop', 'mail'), 'lead': ('*',)}
    """
    found: dict[str, tuple[str, ...]] = {}
    for pair, group, team in _pairs(text):
        if not group or not (team == EVERY or re.fullmatch(TEAM, team)):
            raise SettingsError(f"{variable(setting)}: {pair!r} is not GROUP=TEAM, with a team of the policy or *")
        found[group] = (*found.get(group, ()), team)
    return found


def _pairs(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield each pair of a setting, its group and what the group is given."""
    for pair in filter(None, map(str.strip, text.split(","))):
        group, _, word = pair.rpartition("=")
        yield pair, unquote(group.strip()), word.strip()


def roles_of(groups: Iterable[str], known: Roles) -> tuple[Role, ...]:
    """Return the roles of who is in some groups, in the order of all roles.

    >>> roles_of(["a", "b", "c"], {"b": ("reviewer",), "a": ("viewer", "reviewer")})
    ('viewer', 'reviewer')
    """
    given = {role for group in groups for role in known.get(group, ())}
    return tuple(role for role in ROLES if role in given)


def teams_of(groups: Iterable[str], known: Teams) -> tuple[str, ...]:
    """Return the teams of who is in some groups.

    >>> teams_of(["a", "b", "c"], {"b": ("shop",), "a": ("mail", "shop")})
    ('mail', 'shop')
    """
    return tuple(sorted({team for group in groups for team in known.get(group, ())}))
