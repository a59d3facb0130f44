"""Whom a named proxy has signed in, by headers of its requests; the same headers from anybody else sign in nobody."""

import re
from collections.abc import Mapping
from typing import Any, Final

from fastapi import HTTPException, Request, status

from streams.access.elsewhere import PROXY, named, role_map, roles_of, team_map, teams_of
from streams.access.limits.door import address_of
from streams.access.principals import Principal
from streams.access.proxy.hops import networks
from streams.settings import Settings, SettingsError

MOST_GROUPS_BYTES: Final = 16_384
"""The longest header with groups."""
SAFE: Final = ("GET", "HEAD", "OPTIONS")
_HEADER: Final = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_BROUGHT: Final = frozenset({"authorization", "cookie", "host", "origin", "referer"})


class Proxied:
    """Tells whom the proxies of the settings have signed in.

    Raises
    ------
    SettingsError
        Where the settings are not whole.
    """

    def __init__(self, settings: Settings) -> None:
        check(settings)
        self._user: Final = settings.proxy_user_header.lower()
        self._groups: Final = settings.proxy_groups_header.lower()
        self._roles: Final = role_map(settings.proxy_roles, "proxy_roles")
        self._teams: Final = team_map(settings.proxy_teams, "proxy_teams")

    def of(self, request: Request) -> Principal | None:
        """Return whom a named proxy has signed in; None where a request comes from elsewhere, or says nothing.

        Raises
        ------
        HTTPException
            403 where the headers of the proxy can't be read as one person's, or none of their groups has a role; it is
            written down with the reason.
        """
        if not self._user or not getattr(request.state, "by_proxy", False):
            return None
        said = _said(request, (self._user, self._groups))
        if not said:
            return None
        try:
            name, groups = self._read(said)
        except ValueError as error:
            raise _refused(request, "proxy", f"what the proxy says of you can't be used: {error}") from None
        roles = roles_of(groups, self._roles)
        if not roles:
            request.state.claimed = name
            raise _refused(request, "role", "the proxy knows you, but none of your groups has a role here")
        return Principal(name, roles, teams=teams_of(groups, self._teams))

    def _read(self, said: Mapping[str, list[tuple[str, bytes]]]) -> tuple[str, list[str]]:
        values = {name: _one(name, fields) for name, fields in said.items()}
        if self._user not in values:
            raise ValueError("it names groups, and nobody who is in them")
        user, groups = values[self._user], values.get(self._groups, "")
        if not user or "," in user:
            raise ValueError("it names nobody, or several")
        return named(PROXY, user), [each.strip() for each in groups.split(",")]

    def refuse_claim(self, request: Request) -> None:
        """Refuse, with 403, who is nobody and says by such headers that they are somebody; it is written down."""
        if self._user and (said := _said(request, (self._user,))):
            claimed = said[self._user][0][1].decode("utf-8", "replace")
            request.state.claimed = "".join(each if each.isprintable() else "?" for each in claimed[:256])
            request.app.state.limits.heard(address_of(request), "", fresh=True)
            raise _refused(request, "spoof", "only a named proxy says who somebody is (WATCHKEEPER_PROXY_ADDRESSES)")


def own_page(request: Request) -> None:
    """Refuse, with 403, to change anything for who has no token, unless a page of ours asks.

    A browser brings along what the proxy knows people by, whoever has it ask; that a page is ours, `Callers` has seen
    to where one of these headers is there, and browsers send one.
    """
    if request.method not in SAFE and not {"origin", "sec-fetch-site"} & set(request.headers):
        raise _refused(
            request, "proxy", "send Origin with this, or a token: it has to be told from pages of other sites"
        )


def check(settings: Settings) -> None:
    """Refuse settings of proxies that are not whole; raises as `Proxied`."""
    known = networks(settings)
    if not settings.proxy_user_header:
        if settings.proxy_groups_header:
            raise SettingsError("WATCHKEEPER_PROXY_GROUPS_HEADER: wants WATCHKEEPER_PROXY_USER_HEADER beside it")
        return
    if not known:
        raise SettingsError(
            "WATCHKEEPER_PROXY_USER_HEADER: name the proxies that send it in WATCHKEEPER_PROXY_ADDRESSES"
        )
    for setting in ("user", "groups"):
        name = getattr(settings, f"proxy_{setting}_header")
        if not _HEADER.fullmatch(name) or name.lower() in _BROUGHT:
            text = f"{name!r} is no header that a proxy alone sends, as X-Forwarded-User or Remote-Groups"
            raise SettingsError(f"WATCHKEEPER_PROXY_{setting.upper()}_HEADER: {text}")
    if settings.proxy_user_header.lower() == settings.proxy_groups_header.lower():
        raise SettingsError("WATCHKEEPER_PROXY_GROUPS_HEADER: must be another than WATCHKEEPER_PROXY_USER_HEADER")
    if settings.proxy_sign_out and not re.match(r"/(?!/)|https://", settings.proxy_sign_out):
        raise SettingsError("WATCHKEEPER_PROXY_SIGN_OUT: must be a path, as /oauth2/sign_out, or start with https://")
    team_map(settings.proxy_teams, "proxy_teams")
    if not role_map(settings.proxy_roles, "proxy_roles"):
        raise SettingsError("WATCHKEEPER_PROXY_ROLES: name a role for a group at least, as `sre=responder`")


def _said(request: Request, wanted: tuple[str, ...]) -> dict[str, list[tuple[str, bytes]]]:
    """Return each of some headers that is there, with its fields as they were spelled: what has `_` counts for `-`."""
    found: dict[str, list[tuple[str, bytes]]] = {}
    for raw, value in request.scope["headers"]:
        spelled = raw.decode("latin-1").lower()
        if (name := spelled.replace("_", "-")) in wanted:
            found.setdefault(name, []).append((spelled, value))
    return found


def _one(name: str, fields: list[tuple[str, bytes]]) -> str:
    """Return what a header says: once, and spelled as the proxy spells it, or somebody else has sent it along."""
    [(spelled, value), *more] = fields
    if more or spelled != name:
        raise ValueError(f"{name} is there twice, or spelled otherwise: the proxy has to remove what clients send")
    if len(value) > MOST_GROUPS_BYTES:
        raise ValueError(f"{name} has more than {MOST_GROUPS_BYTES} bytes")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name} is no UTF-8") from None
    if not text.isprintable():
        raise ValueError(f"{name} has control characters")
    return text


def _refused(request: Request, why: str, text: str) -> Any:
    request.state.why = why
    return HTTPException(status.HTTP_403_FORBIDDEN, text)
