"""The token of the HTTP API: from the settings, or one that the worker makes for this machine."""

import secrets
from pathlib import Path
from typing import Final

from streams.settings import Settings, SettingsError

FILE: Final = "api-token"


def made_token(settings: Settings) -> str:
    """Return the token of the settings, else the one in the data folder, which is made where it is missing."""
    if given := settings.api_token.get_secret_value():
        return given
    return made_secret(token_file(settings))


def made_secret(path: Path) -> str:
    """Return the secret in a file, which is made where it is missing, open to its owner alone."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()


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
