"""Names of people and machines: a token each, of which only the hash is kept, with roles and an end.

The file lies in the data folder of the worker that serves the API, is written whole, and read again when it changes:
what is revoked is refused from then on, also in a session of the console.
"""

import hashlib
import os
import re
import secrets
import time
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace

from streams.access.roles import Role
from streams.access.tokens import made_token
from streams.settings import Settings

log: Final = structlog.get_logger()

FILE: Final = "tokens.json"
NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
RESERVED: Final = ("watchkeeper", "system")
_FORM: Final = re.compile(r"wk_([0-9a-f]{12})_[\w-]{43}", re.ASCII)


class Principal(Struct, frozen=True):
    """Who asks: a name with roles. The token of the installation has no name, and says whose word it brings."""

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
    if not NAME.fullmatch(name) or name.partition("/")[0].lower() in RESERVED:
        raise ValueError(f"{name!r} is no name: 1 to 128 characters on one line, not {' or '.join(RESERVED)}")
    if not roles or not seconds:
        raise ValueError("a token has a role and an end; see `watchkeeper token create --help`")
    number, now = secrets.token_hex(6), time.time()
    given = f"wk_{number}_{secrets.token_urlsafe(32)}"
    made = Token(
        token_id=number, name=name, roles=roles, hash=_hash(given), created=now, expires=now + seconds, teams=teams
    )  # fmt: skip
    _write(file, [*read_tokens(file), made])
    return given


def revoke(file: Path, which: str) -> list[Token]:
    """Revoke the token of an id, or all of a name, and return them.

    Raises
    ------
    ValueError
        Where none is called so.
    """
    tokens, now = read_tokens(file), time.time()
    gone = [each for each in tokens if which in (each.token_id, each.name) and each.revoked is None]
    if not gone:
        raise ValueError(f"no token of {which!r} is there to revoke; `watchkeeper token list` shows all")
    _write(file, [replace(each, revoked=now) if each in gone else each for each in tokens])
    return gone


class Principals:
    """Tells who has a token.

    Parameters
    ----------
    settings
        Of the installation: its own token, which is the `admin` without a name, and the data folder.
    """

    def __init__(self, settings: Settings) -> None:
        self.installation: Final = made_token(settings)
        self._file: Final = tokens_file(settings)
        self._seen: Any = None
        self._tokens: dict[str, Token] = {}

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
        """Return whose token has an id, as long as it is valid."""
        known = self._valid(token_id)
        return _principal(known) if known else None

    def _valid(self, token_id: str) -> Token | None:
        known = self._read().get(token_id)
        return known if known is not None and known.state(time.time()) == "valid" else None

    def _read(self) -> dict[str, Token]:
        try:
            found = self._file.stat()
            seen = found.st_mtime_ns, found.st_ino, found.st_size
        except FileNotFoundError:
            seen = None
        if seen != self._seen:
            self._seen = seen
            try:
                self._tokens = {each.token_id: each for each in read_tokens(self._file)}
            except ValueError as error:
                self._tokens = {}
                log.warning("no token with a name is taken", error=str(error))
        return self._tokens


def _principal(known: Token) -> Principal:
    return Principal(known.name, known.roles, known.token_id, known.teams)


def _hash(token: str) -> str:
    """Return what is kept of a token; a plain hash is enough for a random text of 256 bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def _write(file: Path, tokens: list[Token]) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(tokens)))
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
