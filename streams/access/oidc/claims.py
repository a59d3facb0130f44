"""What an OpenID provider says of somebody, read into a name and roles of ours."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from streams.access.elsewhere import OIDC, named, role_map, team_map
from streams.access.hosts import loopback
from streams.settings import Settings, SettingsError


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


def claimed(settings: Settings, claims: Mapping[str, Any]) -> Claimed:
    """Return whom the claims are about; they were verified before.

    Raises
    ------
    ValueError
        Where they hold no name that can be one here.
    """
    said = next(filter(None, (_name(claims, each.strip()) for each in settings.oidc_name_claims.split(","))), "")
    name = named(OIDC, said or str(claims["sub"]))
    found = _inside(claims, settings.oidc_groups_claim)
    groups = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    texts = tuple(each for each in groups if isinstance(each, str))
    return Claimed(settings.oidc_issuer, str(claims["sub"]), name, texts)


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
