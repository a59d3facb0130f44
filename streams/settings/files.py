"""Secrets in files of the folder that `WATCHKEEPER_SECRETS` names: where each lies, and what it is now."""

import os
from pathlib import Path
from typing import Final

from streams.settings import SettingsError, variable

FOLDER: Final = "WATCHKEEPER_SECRETS"


def secret_file(name: str) -> Path | None:
    """Return the file that a secret is read from; None where the environment has it, or names no folder.

    Parameters
    ----------
    name
        Of the setting, as `kafka_password`.
    """
    folder, wanted = os.environ.get(FOLDER), variable(name)
    if not folder or any(each.upper() == wanted for each in os.environ):  # as the settings read their variables
        return None
    return Path(folder) / wanted.lower()


def read_secret_file(file: Path) -> str:
    """Return what a file holds now, without white space around it.

    Raises
    ------
    SettingsError
        Where it can't be read, is empty (as one that is just being written), or is no text; without what it holds.
    """
    try:
        text = file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is no text in UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{file} can't be read: {error.strerror}") from None
    if not text:
        raise SettingsError(f"{file} is empty")
    return text
