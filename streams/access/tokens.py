"""The secrets of an installation: from the settings, or made by a worker for this machine."""

import hmac
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from streams.settings import Settings, SettingsError

FILE: Final = "api-token"
KEY_FILE: Final = "erasure-key"
"""What it was made for first."""


def made_token(settings: Settings) -> str:
    """Return the token of the settings, else the one in the data folder, which is made where it is missing."""
    if given := settings.api_token.get_secret_value():
        return given
    return made_secret(token_file(settings))


def made_secret(path: Path) -> str:
    """Return the secret in a file, which is made where it is missing, open to its owner alone.

    Whoever is first makes it, whole; of workers that start together all have the same.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(32))
        with suppress(FileExistsError):
            path.hardlink_to(made)
        made.unlink()
    return path.read_text().strip()


def house_key(settings: Settings, purpose: bytes) -> bytes:
    """Return the installation's own key for a purpose: of `WATCHKEEPER_HASH_KEY`, else of a file in the data folder.

    No service has it, unlike the key that controls are signed with.
    """
    given = settings.hash_key.get_secret_value() or made_secret(settings.data_dir / KEY_FILE)
    return hmac.digest(given.encode(), purpose, "sha256")


def known_token(settings: Settings) -> str:
    """Return the token that a command sends.

    Raises
    ------
    SettingsError
        Where there is none, with what to do.
    """
    if given := settings.api_token.get_secret_value():
        return given
    path = token_file(settings)
    if not path.exists():
        raise SettingsError(
            f"no API token: set WATCHKEEPER_API_TOKEN, or WATCHKEEPER_DATA_DIR to the folder of the worker ({path} "
            "is not there)"
        )
    return path.read_text().strip()


def token_file(settings: Settings) -> Path:
    """Return where a worker keeps the token that it makes."""
    return settings.data_dir / FILE
