"""Secrets that count as their files are now, in a process that goes on while they are changed."""

from functools import cache
from pathlib import Path
from typing import Final

from streams.settings import Settings, SettingsError
from streams.settings.files import read_secret_file


class Secret:
    """A secret as its file is now, or as it was before where that can't be used, which is then a problem.

    Parameters
    ----------
    file
        Where it lies; None where it stays as it is.
    name
        Of its setting; the problem is called so, with spaces.
    given
        What it was at the start.
    """

    def __init__(self, file: Path | None, name: str, given: str) -> None:
        self.file: Final = file
        self._name: Final = name
        self._problem: Final = name.replace("_", " ")
        self._value = given

    def now(self) -> str:
        """Return it."""
        if self.file is None or not (self._value or self.file.exists()):
            return self._value
        from streams.health.problems import PROBLEMS  # commands without such files start sooner

        try:
            self._value = read_secret_file(self.file)
            PROBLEMS.over(self._problem)
        except SettingsError as error:
            PROBLEMS.note(self._problem, f"a changed secret can't be used, the one before it is: {error}")
        return self._value


_one_of: Final = cache(Secret)
"""Whoever asks for the same has the same, so that none of them falls back behind what another has read."""


def secret(settings: Settings, name: str) -> Secret:
    """Return a secret of the settings, which reads its file again whenever it is asked.

    >>> secret(Settings(kafka_password="of the environment"), "kafka_password").now()
    'of the environment'
    """
    return _one_of(settings.secret_file(name), name, getattr(settings, name).get_secret_value())
