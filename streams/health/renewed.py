"""What a process makes of files, made anew when they change.

Half of a change (a certificate whose key is not there yet) is not used: what was good before stays until it is whole.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, TypeVar

from streams.health.problems import PROBLEMS
from streams.settings import SettingsError

_Files = tuple[tuple[Path, int, int, int], ...]
Held = TypeVar("Held")


class Renewed(Generic[Held]):
    """What is made of files, as they are now.

    Parameters
    ----------
    files
        That it is made of; those that are None are left out.
    make
        Makes it; raises `SettingsError` where that can't be.
    problem
        What `/health` calls it while a change can't be used.
    words
        What it says then, before the reason.

    Raises
    ------
    SettingsError
        Where it can't be made now.
    """

    def __init__(self, files: Sequence[Path | None], make: Callable[[], Held], problem: str, words: str) -> None:
        self._paths: Final = [path for path in files if path is not None]
        self._make: Final = make
        self._problem: Final = problem
        self._words: Final = words
        self._seen: _Files | None = None
        with suppress(SettingsError):  # who makes it says better what is missing
            self._seen = self._files()
        self._held = make()

    def now(self) -> Held:
        """Return what the files make now, or what the last ones made that could be used."""
        try:
            seen = self._files()
            if seen != self._seen:
                self._held, self._seen = self._make(), seen
            PROBLEMS.over(self._problem)
        except SettingsError as error:
            PROBLEMS.note(self._problem, f"{self._words}: {error}")
        return self._held

    def _files(self) -> _Files:
        """Return what tells files from those that they were, also where a link leads to another."""
        try:
            return tuple((path, *_state(path)) for path in self._paths)
        except OSError as error:
            raise SettingsError(f"{error.filename} can't be read: {error.strerror}") from None


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size
