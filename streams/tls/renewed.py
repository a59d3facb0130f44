"""What TLS makes of files, made anew when they change, and what is shown and trusted by whoever connects by it.

Half of a change (a certificate whose key is not there yet) is not used: what was good before stays until it is whole.
"""

import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Self

from streams.health.problems import PROBLEMS
from streams.settings import SettingsError

_Files = tuple[tuple[Path, int, int, int], ...]


class Renewed:
    """A context of TLS that is as its files are now.

    Parameters
    ----------
    files
        That it is made of; those that are None are left out.
    make
        Makes it; raises `SettingsError` where that can't be.
    problem
        What `/health` calls it while a change can't be used.

    Raises
    ------
    SettingsError
        Where it can't be made now.
    """

    def __init__(self, files: Sequence[Path | None], make: Callable[[], ssl.SSLContext], problem: str) -> None:
        self._paths: Final = [path for path in files if path is not None]
        self._make: Final = make
        self._problem: Final = problem
        self._seen = self._files()
        self._context = make()

    def now(self) -> ssl.SSLContext:
        """Return the context of the files as they are now, or of the last ones that could be used."""
        try:
            seen = self._files()
            if seen != self._seen:
                self._context, self._seen = self._make(), seen
            PROBLEMS.over(self._problem)
        except SettingsError as error:
            PROBLEMS.note(self._problem, f"a changed certificate can't be used, the one before it is shown: {error}")
        return self._context

    def _files(self) -> _Files:
        """Return what tells files from those that they were, also where a link leads to another."""
        try:
            return tuple((path, *_state(path)) for path in self._paths)
        except OSError as error:
            raise SettingsError(f"{error.filename} can't be read: {error.strerror}") from None


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


class Calling(ssl.SSLContext):
    """What a client is given as its context, once; each connection that it opens then is made with the files of then.

    Both ways of `ssl` to open one are those of the context of now: `wrap_bio` is asyncio's, `wrap_socket` everybody
    else's. The rest of this one is as it comes: it trusts nobody.
    """

    renewed: Renewed

    def __new__(cls, renewed: Renewed) -> Self:
        """Return a client's context."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        made.renewed = renewed
        return made

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """Begin a connection between two buffers."""
        return self.renewed.now().wrap_bio(*arguments, **named)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """Begin a connection on a socket."""
        return self.renewed.now().wrap_socket(*arguments, **named)
