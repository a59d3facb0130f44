"""Small files of who may come in: written whole, open to their owner alone, and read again when they change."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import structlog

log: Final = structlog.get_logger()

Held = TypeVar("Held")


class Followed(Generic[Held]):
    """What a file holds now.

    Parameters
    ----------
    read
        Reads it; raises ValueError where it is broken.
    nothing
        What counts while it is broken.
    """

    def __init__(self, file: Path, read: Callable[[Path], Held], nothing: Held) -> None:
        self._file: Final = file
        self._read: Final = read
        self._nothing: Final = nothing
        self._seen: Any = None
        self._held = nothing

    def now(self) -> Held:
        """Return it, read again where the file is another than it was."""
        try:
            found = self._file.stat()
            seen = found.st_mtime_ns, found.st_ino, found.st_size
        except FileNotFoundError:
            seen = None
        if seen != self._seen:
            self._seen = seen
            try:
                self._held = self._nothing if seen is None else self._read(self._file)
            except ValueError as error:
                self._held = self._nothing
                log.warning("nobody of a file is let in", error=str(error))
        return self._held


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Let one process at a time read a file and write it anew."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def write(file: Path, held: object) -> None:
    """Write a file whole, as JSON that people can read."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(held)))
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)
