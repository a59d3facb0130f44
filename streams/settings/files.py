"""What a file of a secret holds now."""

from pathlib import Path

from streams.settings import SettingsError


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
