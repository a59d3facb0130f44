"""Names of people and machines: a token each, of which only the hash is kept, with roles and an end.

The file lies in the data folder of the worker that serves the API, is written whole, and read again when it changes:
what is revoked is refused from then on, also in a session of the console.
"""

import hashlib
import re
import secrets
import time
import unicodedata
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from streams.access.elsewhere import PREFIXES
from streams.access.kept import Followed, alone, write
from streams.access.oidc.people import People
from streams.access.roles import Role
from streams.access.tokens import made_token
from streams.settings import Settings

FILE: Final = "tokens.json"
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
RESERVED: Final = ("watchkeeper", "system", *(each.rstrip("/") for each in PREFIXES))
"""What no name that is given here begins with: parts of Watchkeeper, and people who sign in elsewhere."""
_FORM: Final = re.compile(r"wk_([0-9a-f]{12})_[\w-]{43}", re.ASCII)


class Principal(Struct, frozen=True):
    """Who asks: a name with roles. The token of the installation has no name, and says whose word it brings.

    `token_id` is the id of the token, or of the session of who signed in at the provider; a proxy gives none.
    """

    name: str
    roles: tuple[Role, ...]
    token_id: str = ""
    teams: tuple[str, ...] = ()

    @property
    def kind(self) -> Literal["human", "automation"]:
        """Whether it is a person or a machine, in the words of the contract."""
        return "automation" if self.roles == ("service",) else "human"


class Token(Struct, frozen=True, kw_only=True):
    """What is kept of a token; times are Unix seconds."""

    token_id: str
    name: str
    roles: tuple[Role, ...]
    hash: str
    created: float
    expires: float
    revoked: float | None = None
    teams: tuple[str, ...] = ()

    def state(self, now: float) -> str:
        """Return whether it is valid, and if not, why."""
        return "revoked" if self.revoked is not None else "expired" if now >= self.expires else "valid"


def tokens_file(settings: Settings) -> Path:
    """Return where tokens are kept."""
    return settings.tokens or settings.data_dir / FILE


def read_tokens(file: Path) -> list[Token]:
    """Return the tokens of a file; none where there is no file.

    Raises
    ------
    ValueError
        Where the file cannot be read: nobody is let in by a file that is broken.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Token])
    except FileNotFoundError:
        return []
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} holds no tokens: {error}; restore it, or delete it and create tokens anew") from None


def create(file: Path, name: str, roles: tuple[Role, ...], seconds: float, teams: tuple[str, ...] = ()) -> str:
    """Make a token, keep its hash, and return it; it is not shown again. Its `teams` are as of `services_of`.

    Raises
    ------
    ValueError
        Where the name is none, or no role is given.
    """
    if not NAME.fullmatch(name) or reserved(name):
        raise ValueError(f"{name!r} is no name: 1 to 128 characters on one line, not {' or '.join(RESERVED)}")
    if not roles or not seconds:
        raise ValueError("a token has a role and an end; see `watchkeeper token create --help`")
    number, now = secrets.token_hex(6), time.time()
    given = f"wk_{number}_{secrets.token_urlsafe(32)}"
    made = Token(
        token_id=number, name=name, roles=roles, hash=_hash(given), created=now, expires=now + seconds, teams=teams
    )  # fmt: skip
    with alone(file):
        write(file, [*read_tokens(file), made])
    return given


def reserved(name: str) -> bool:
    """Tell whether a name is one that nobody may give himself.

    >>> reserved(" System"), reserved("oidc/kim"), reserved("kim/system")
    (True, True, False)
    """
    return unicodedata.normalize("NFKC", name).partition("/")[0].strip().casefold() in RESERVED


def revoke(file: Path, which: str) -> list[Token]:
    """Revoke the token of an id, or all of a name, and return them.

    Raises
    ------
    ValueError
        Where none is called so.
    """
    with alone(file):
        tokens, now = read_tokens(file), time.time()
        gone = [each for each in tokens if which in (each.token_id, each.name) and each.revoked is None]
        if not gone:
            raise ValueError(f"no token or session of {which!r} is there to revoke; `watchkeeper token list` shows all")
        write(file, [replace(each, revoked=now) if each in gone else each for each in tokens])
    return gone


class Principals:
    """Tells who has a token, or a session of the provider.

    Parameters
    ----------
    settings
        Of the installation: its own token, which is the `admin` without a name, and the data folder.
    """

    def __init__(self, settings: Settings) -> None:
        self.installation: Final = made_token(settings)
        self.people: Final = People(settings)
        self._tokens: Final = Followed[dict[str, Token]](tokens_file(settings), _by_id, {})

    def of(self, token: str) -> Principal | None:
        """Return who has a token; None where nobody does, or it is expired or revoked."""
        if secrets.compare_digest(token.encode(), self.installation.encode()):
            return Principal("", ("admin",))
        form = _FORM.fullmatch(token)
        known = self._valid(form[1]) if form else None
        if known is None or not secrets.compare_digest(_hash(token), known.hash):
            return None
        return _principal(known)

    def by_id(self, token_id: str) -> Principal | None:
        """Return whose token or session has an id, as long as it is valid."""
        known = self._valid(token_id)
        if known is not None:
            return _principal(known)
        found = self.people.by_id(token_id)
        return None if found is None else Principal(found.name, found.roles, token_id, found.teams)

    def _valid(self, token_id: str) -> Token | None:
        known = self._tokens.now().get(token_id)
        return known if known is not None and known.state(time.time()) == "valid" else None


def _by_id(file: Path) -> dict[str, Token]:
    return {each.token_id: each for each in read_tokens(file)}


def _principal(known: Token) -> Principal:
    return Principal(known.name, known.roles, known.token_id, known.teams)


def _hash(token: str) -> str:
    """Return what is kept of a token; a plain hash is enough for a random text of 256 bits."""
    return hashlib.sha256(token.encode()).hexdigest()
