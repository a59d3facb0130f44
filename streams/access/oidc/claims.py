"""What an OpenID provider says of somebody, read into a name and roles of ours."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from streams.access.callers import loopback
from streams.access.roles import ROLES, Role
from streams.access.teams import EVERY, TEAM
from streams.settings import Settings, SettingsError

PREFIX: Final = "oidc/"
"""Begins the name of who signed in there: no token has such a name, so that neither speaks for the other."""
_NAME: Final = re.compile(r"[^/\s](?:[^/]{0,118}[^/\s])?")

Roles = Mapping[str, tuple[Role, ...]]


class Claimed(Struct, frozen=True):
    """Whom a provider has signed in: `issuer` and `subject` are who it is, the name is what it is called today."""

    issuer: str
    subject: str
    name: str
    groups: tuple[str, ...]


def check(settings: Settings) -> None:
    """Refuse settings of a provider that are not whole.

    Raises
    ------
    SettingsError
        With what is missing, or can't be used.
    """
    if not settings.oidc_issuer:
        return
    if not settings.oidc_client_id:
        raise SettingsError("WATCHKEEPER_OIDC_CLIENT_ID: say what the provider calls this installation")
    if not safe(settings.oidc_issuer):
        raise SettingsError("WATCHKEEPER_OIDC_ISSUER: must start with https://; http:// does on this machine alone")
    if "openid" not in settings.oidc_scopes.split():
        raise SettingsError("WATCHKEEPER_OIDC_SCOPES: must hold openid")
    team_map(settings.oidc_teams)
    if not role_map(settings.oidc_roles):
        raise SettingsError("WATCHKEEPER_OIDC_ROLES: name a role for a group at least, as `sre=responder`")


def safe(address: str) -> bool:
    """Tell whether what is sent to an address is read by nobody on the way.

    >>> [safe(each) for each in ("https://a.example", "http://127.0.0.1:9", "http://a.example", "javascript:x", "http://[")]
    [True, True, False, False, False]
    """
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and loopback(parts.hostname or ""))
        )
    except ValueError:
        return False


def role_map(text: str) -> dict[str, tuple[Role, ...]]:
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
            raise SettingsError(f"WATCHKEEPER_OIDC_ROLES: {pair!r} is not GROUP=ROLE with a role of {people}")
        found[group] = (*found.get(group, ()), role)
    return found


def team_map(text: str) -> dict[str, tuple[str, ...]]:
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
            raise SettingsError(f"WATCHKEEPER_OIDC_TEAMS: {pair!r} is not GROUP=TEAM, with a team of the policy or *")
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


def claimed(settings: Settings, claims: Mapping[str, Any]) -> Claimed:
    """Return whom the claims are about; they were verified before.

    Raises
    ------
    ValueError
        Where they hold no name that can be one here.
    """
    said = next(filter(None, (_name(claims, each.strip()) for each in settings.oidc_name_claims.split(","))), "")
    name = unicodedata.normalize("NFKC", said or str(claims["sub"]))
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise ValueError("the name has a character that no name has here, or more than 120")
    found = _inside(claims, settings.oidc_groups_claim)
    groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    texts = tuple(each for each in groups if isinstance(each, str))
    return Claimed(settings.oidc_issuer, str(claims["sub"]), PREFIX + name, texts)


def has_groups(settings: Settings, claims: Mapping[str, Any]) -> bool:
    """Tell whether claims say in which groups somebody is."""
    return _inside(claims, settings.oidc_groups_claim) is not None


def _name(claims: Mapping[str, Any], claim: str) -> str:
    """Return a name; an address of mail that nobody verified is anybody's."""
    if claim == "email" and claims.get("email_verified") is not True:
        return ""
    found = claims.get(claim)
    return found if isinstance(found, str) else ""


def _inside(claims: Mapping[str, Any], claim: str) -> Any:
    """Return a claim by its whole name, else along its dots.

    >>> _inside({"a": {"b": ["c"]}, "x.y": "z"}, "a.b"), _inside({"a": {}, "x.y": "z"}, "x.y"), _inside({"a": 1}, "a.b")
    (['c'], 'z', None)
    """
    if claim in claims:
        return claims[claim]
    found: Any = claims
    for part in claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
