"""Who has signed in at the provider: sessions with an end, and names that stay with whom they were first of.

A provider may let people rename themselves. So a name is bound to the subject that came with it first: whoever is
renamed there stays who they are here, and another who takes the name over is refused. Both lie in a file beside that
of the tokens, so that a restart ends no session and a sign-out ends it for good.
"""

import secrets
import time
import unicodedata
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from streams.access.elsewhere import role_map, roles_of, team_map, teams_of
from streams.access.kept import Followed, alone, write
from streams.access.oidc.claims import Claimed, check
from streams.access.roles import Role
from streams.settings import Settings

FILE: Final = "people.json"
MOST_SESSIONS: Final = 20
"""Sessions that one person has at a time; the oldest end."""


class NoRoleError(Exception):
    """Somebody is in no group that has a role."""


class TakenError(Exception):
    """A name is another's."""


class Known(Struct, frozen=True):
    """Whose a name is; `since` is Unix seconds."""

    name: str
    issuer: str
    subject: str
    since: float


class Session(Struct, frozen=True):
    """That somebody is signed in; times are Unix seconds."""

    session_id: str
    name: str
    issuer: str
    groups: tuple[str, ...]
    began: float
    ends: float


class SignedIn(Struct, frozen=True):
    """Who has a session: their name, and the roles and teams that their groups have now."""

    name: str
    roles: tuple[Role, ...]
    teams: tuple[str, ...] = ()


class Book(Struct, frozen=True):
    """What the file holds."""

    names: tuple[Known, ...] = ()
    sessions: tuple[Session, ...] = ()


def people_file(settings: Settings) -> Path:
    """Return where names and sessions are kept."""
    return settings.data_dir / FILE


def read_book(file: Path) -> Book:
    """Return what a file holds; nothing where there is none.

    Raises
    ------
    ValueError
        Where it cannot be read.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=Book)
    except FileNotFoundError:
        return Book()
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} holds no sessions: {error}; restore it, or delete it and have all sign in") from None


class People:
    """Lets people in whom the provider has signed in, and knows them as long as their session lasts.

    Raises
    ------
    SettingsError
        Where the settings of the provider are not whole.
    """

    def __init__(self, settings: Settings) -> None:
        check(settings)
        self._issuer: Final = settings.oidc_issuer
        self._lasts: Final = settings.oidc_session_seconds
        self._roles: Final = role_map(settings.oidc_roles)
        self._teams: Final = team_map(settings.oidc_teams)
        self._file: Final = people_file(settings)
        self._book: Final = Followed(self._file, read_book, Book())

    def enter(self, who: Claimed) -> Session:
        """Begin a session, and return it.

        Raises
        ------
        NoRoleError
            Where no group of theirs has a role.
        TakenError
            Where somebody else came with this name before.
        ValueError
            Where the file is broken.
        """
        groups = tuple(group for group in who.groups if group in self._roles or group in self._teams)
        if not roles_of(groups, self._roles):
            raise NoRoleError
        now = time.time()
        with alone(self._file):
            book = read_book(self._file)
            known = _known(book, who) or Known(who.name, who.issuer, who.subject, now)
            if known not in book.names and any(_same(known.name, each.name) for each in book.names):
                raise TakenError
            made = Session(f"s-{secrets.token_hex(12)}", known.name, who.issuer, groups, now, now + self._lasts)
            mine = [each for each in book.sessions if each.name == known.name and each.ends > now]
            others = [each for each in book.sessions if each.name != known.name and each.ends > now]
            names = book.names if known in book.names else (*book.names, known)
            write(self._file, Book(names, (*others, *mine[1 - MOST_SESSIONS :], made)))
        return made

    def by_id(self, session_id: str) -> "SignedIn | None":
        """Return whose session it is, as long as it lasts and their groups have a role."""
        found = next((each for each in self._book.now().sessions if each.session_id == session_id), None)
        if found is None or found.issuer != self._issuer or found.ends <= time.time():
            return None
        roles = roles_of(found.groups, self._roles)
        return SignedIn(found.name, roles, teams_of(found.groups, self._teams)) if roles else None

    def leave(self, session_id: str) -> None:
        """End a session."""
        end_sessions(self._file, session_id)


def end_sessions(file: Path, which: str) -> list[Session]:
    """End the session of an id, or all of a name, and return those that were not over."""
    if not file.exists():
        return []
    with alone(file):
        book, now = read_book(file), time.time()
        gone = [each for each in book.sessions if which in (each.session_id, each.name)]
        if gone:
            write(file, replace(book, sessions=tuple(each for each in book.sessions if each not in gone)))
    return [each for each in gone if each.ends > now]


def free(file: Path, name: str) -> bool:
    """Give a name free for whoever comes with it next, end its sessions, and tell whether it was anybody's."""
    if not file.exists():
        return False
    end_sessions(file, name)
    with alone(file):
        book = read_book(file)
        left = tuple(each for each in book.names if not _same(each.name, name))
        if len(left) == len(book.names):
            return False
        write(file, replace(book, names=left))
        return True


def _known(book: Book, who: Claimed) -> Known | None:
    return next((each for each in book.names if (each.issuer, each.subject) == (who.issuer, who.subject)), None)


def _same(one: str, other: str) -> bool:
    """Tell whether people take two names for one, whatever their case."""
    return unicodedata.normalize("NFKC", one).casefold() == unicodedata.normalize("NFKC", other).casefold()
