"""Who may read: a YAML file of users with scrypt hashes of their passwords (RFC 7914, hashlib)."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from streams.access.teams import Services, Team, TeamName, services_of
from streams.health.renewed import Renewed
from streams.settings import SettingsError
from streams.sql.errors import AUTHENTICATION_FAILED, BUSY, refused
from streams.sql.limits import UserLimits

PROBLEM: Final = "sql users"
COST: Final = 2**14
"""scrypt's n, with r = 8 and p = 1: 16 MiB and some 50 ms a password (RFC 7914, section 2)."""

MOST_LOOKED_AT: Final = 32
"""Passwords that may wait for the thread that looks at them."""

_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32


class User(BaseModel):
    """A user of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    password_scrypt: str
    teams: Annotated[list[TeamName | Literal["*"]] | None, Field(min_length=1)] = None
    """Teams of the policy whose rows it sees; all rows where nothing stands here."""

    @field_validator("password_scrypt")
    @classmethod
    def _readable(cls, value: str) -> str:
        try:
            salt, digest = (base64.b64decode(part, validate=True) for part in value.split("$"))
        except (ValueError, binascii.Error):
            raise ValueError("is not SALT$HASH; `watchkeeper sql-user NAME` prints one") from None
        if len(salt) < _SALT_BYTES or len(digest) != _HASH_BYTES:
            raise ValueError("is cut short; `watchkeeper sql-user NAME` prints a whole one")
        return value


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    users: Annotated[dict[str, User], Field(min_length=1)]


def scrypt_of(password: str, salt: bytes) -> str:
    """Return what the file holds for a password.

    >>> scrypt_of("secret", bytes(16))[:25]
    'AAAAAAAAAAAAAAAAAAAAAA==$'
    """
    digest = hashlib.scrypt(password.encode("utf-8", "surrogatepass"), salt=salt, n=COST, r=8, p=1, dklen=_HASH_BYTES)
    return f"{base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def user_line(name: str, password: str, teams: list[str] | None = None) -> str:
    """Return the line of the file for a user, with a salt of its own, and the teams whose rows alone it sees.

    Raises
    ------
    SettingsError
        Where name or password is empty, or the name holds what HTTP Basic cannot carry.
    """
    if not name or ":" in name or not name.isprintable():
        raise SettingsError(f"{name!r} cannot be the name of a user: take printable characters without a colon")
    if not password:
        raise SettingsError("the password is empty")
    user: dict[str, str | list[str]] = {"password_scrypt": scrypt_of(password, secrets.token_bytes(_SALT_BYTES))}
    written = yaml.safe_dump({name: user | ({"teams": teams} if teams else {})})
    return "  " + written.replace("\n", "\n  ").rstrip()


def load_users(path: Path) -> dict[str, User]:
    """Read a file of users.

    Raises
    ------
    SettingsError
        Where it cannot be read or used, with what is wrong and where.
    """
    try:
        return _File.model_validate(yaml.safe_load(path.read_text())).users
    except OSError as error:
        raise SettingsError(f"WATCHKEEPER_SQL_USERS: {path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"WATCHKEEPER_SQL_USERS: {path} is not YAML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise SettingsError(f"WATCHKEEPER_SQL_USERS: {path}: {wrong}") from None


def followed(path: Path) -> Renewed[dict[str, User]]:
    """Return the users of a file as it is now.

    Raises
    ------
    SettingsError
        Where it can't be used now.
    """
    words = "a changed file of users can't be used, the one before it is"
    return Renewed([path], partial(load_users, path), PROBLEM, words)


class Doorkeeper:
    """Tells whether a user may read.

    Passwords have a thread of their own, so that wrong ones keep no question waiting. Who gives wrong ones waits before
    the next is looked at, as `Tries` says; the same wrong one again is not even looked at.

    Parameters
    ----------
    users
        The users of the file; None lets `default` in with any password, as ClickHouse does for a user without one.
    limits
        Of questions and tries.
    teams
        Those of the policy.
    """

    def __init__(
        self,
        users: Renewed[dict[str, User]] | None,
        limits: UserLimits,
        teams: Mapping[str, Team] | None = None,
    ) -> None:
        self._teams: Final = teams or {}
        self._file: Final = users
        self.limits: Final = limits
        self._key: Final = secrets.token_bytes(32)
        self._known: Final[dict[str, tuple[str, bytes]]] = {}
        self._stranger: Final = User(password_scrypt=scrypt_of(secrets.token_hex(), secrets.token_bytes(_SALT_BYTES)))
        self._pool: Final = ThreadPoolExecutor(1, "sql-password")
        self._looking = 0

    def services(self, name: str) -> Services:
        """Return the services whose rows a user sees; a team that the policy does not name has none."""
        user = self._user(name)
        return None if user is None or user.teams is None else services_of(user.teams, (), self._teams)

    async def admit(self, name: str, password: str, address: str = "") -> None:
        """Return when the password is right.

        A right password is remembered as a keyed digest, so that scrypt is paid once and not for every panel; an
        unknown name takes as long as a wrong password.

        Raises
        ------
        SqlError
            With code 516 and ClickHouse's text, which does not tell a wrong name from a wrong password; with code 201
            after several wrong ones, and with 202 while too many others are looked at.
        """
        if self._file is None:
            right = name == "default"
        else:
            digest = hmac.digest(self._key, password.encode("utf-8", "surrogatepass"), "sha256")
            self.limits.check(address, name, password)
            right = self._remembered(name, digest) or (
                not self.limits.was_wrong(address, name, password) and await self._look(name, password, digest)
            )
            self.limits.told(address, name, password, right=right)
        if not right:
            self.limits.stranger(address)
            text = f"{name}: Authentication failed: password is incorrect, or there is no user with such name"
            raise refused(AUTHENTICATION_FAILED, "AUTHENTICATION_FAILED", text)

    async def _look(self, name: str, password: str, digest: bytes) -> bool:
        """Look at a password in its own thread."""
        if self._looking >= MOST_LOOKED_AT:
            raise refused(BUSY, "TOO_MANY_SIMULTANEOUS_QUERIES", "too many passwords are looked at: try again later")
        self._looking += 1
        try:
            running = asyncio.get_running_loop().run_in_executor(self._pool, self._verify, name, password, digest)
            return await asyncio.shield(running)
        finally:
            self._looking -= 1

    def _verify(self, name: str, password: str, digest: bytes) -> bool:
        user = self._user(name)
        written = (user or self._stranger).password_scrypt
        salt = base64.b64decode(written.split("$")[0])
        if not hmac.compare_digest(scrypt_of(password, salt), written) or user is None:
            return False
        self._known[name] = written, digest
        return True

    def _remembered(self, name: str, digest: bytes) -> bool:
        """Tell whether a password was right, and the file still says so."""
        written, known = self._known.get(name, ("", b""))
        user = self._user(name)
        return hmac.compare_digest(known, digest) and user is not None and user.password_scrypt == written

    def _user(self, name: str) -> User | None:
        return None if self._file is None else self._file.now().get(name)
