"""The log in files: entries are only ever added, each with the hash of the one before, by any process of a machine."""

import fcntl
import getpass
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from streams.audit.verifier import START, Head, canonical, digest, lines_of, read_entry, split
from streams.settings import Settings

FOLDER: Final = "audit"
HEADS: Final = "heads"
SEGMENT_BYTES: Final = 67_108_864
"""From which size on the log goes on in another file; that it does is no end of the chain."""

MOST_TEXT: Final = 256
"""Characters of one value; who sends more than that wants the log to grow."""

LOCK_SECONDS: Final = 5.0
"""How long an entry takes at most while another process writes."""

_MOST_VALUES: Final = 16
_TAIL_BYTES: Final = 131_072
"""More than the longest line."""

Value = str | int | list[str]


def entry(kind: str, **values: Value) -> dict[str, Value]:
    """Return what is written down, now; empty values say nothing and are left out.

    >>> made = entry("token_revoked", who="kim", about="")
    >>> made["kind"], made["who"], "about" in made
    ('token_revoked', 'kim', False)
    """
    said: dict[str, Value] = {name: _short(value) for name, value in values.items() if value not in ("", [])}
    return {"time": datetime.now(UTC).isoformat(timespec="microseconds"), "kind": kind} | said


def _short(value: Value) -> Value:
    if isinstance(value, list):
        return [str(_short(each)) for each in value[:_MOST_VALUES]]
    return value[:MOST_TEXT].encode(errors="replace").decode() if isinstance(value, str) else value


def folder_of(settings: Settings) -> Path:
    """Return where the log of an installation lies."""
    return settings.data_dir / FOLDER


class AuditLog:
    """The log of a folder.

    Parameters
    ----------
    name
        What heads call it; no two logs whose heads go to one Kafka have the same.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder: Final = folder
        self._name: Final = name
        self._known: tuple[Path, int] | None = None
        self._sequence, self._previous = 0, START

    def append(self, entries: Iterable[Mapping[str, Value]]) -> tuple[int, str]:
        """Add entries, and return number and hash of the last; they are on the disk then, and none is where it fails.

        Raises
        ------
        OSError
            Where the disk does not take them.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._locked():
            file, size, cut = self._end()
            begun = [] if self._sequence else [entry("begun", log=self._name, nonce=secrets.token_hex(16))]
            gap = [entry("gap", why="the last line was not written whole")] if cut else []
            sequence, previous, lines = self._sequence, self._previous, []
            for each in (*begun, *gap, *entries):
                sequence += 1
                whole = {**each, "sequence": sequence, "previous": previous}
                previous = digest(whole)
                lines.append(canonical(whole | {"hash": previous}) + b"\n")
            if size >= SEGMENT_BYTES:
                file, size = _segment(self._folder, self._sequence + 1), 0
            _write(file, size, b"".join(lines))
            self._known = file, file.stat().st_size
            self._sequence, self._previous = sequence, previous
            return sequence, previous

    def end(self) -> tuple[int, str]:
        """Return the number and the hash of the last entry; 0 where there is none."""
        if not self._folder.exists():
            return 0, START
        with self._locked():
            self._end()
            return self._sequence, self._previous

    def name(self) -> str:
        """Return what the log calls itself in its first entry, whoever wrote that, or in its heads where it is gone."""
        first = next((line for file, size in self.parts()[:1] for line in lines_of(file, size)), None)
        found = None if first is None else read_entry(first.data)
        if found is not None and found["sequence"] > 1:
            return next((head.log for head in self.heads()), self._name)
        return self._name if found is None else str(found.get("log", self._name))

    def keep(self, head: Head) -> None:
        """Keep a head beside the log, for who wants to have it elsewhere too.

        Raises
        ------
        OSError
            Where the disk does not take it.
        """
        with self._locked():
            _append(self._folder / HEADS, head.line() + b"\n")

    def heads(self) -> list[Head]:
        """Return the heads that lie beside the log."""
        file = self._folder / HEADS
        return split([file])[0] if file.exists() else []

    def parts(self) -> list[tuple[Path, int]]:
        """Return the files of the log, and how much of each is whole now."""
        if not self._folder.exists():
            return []
        with self._locked():
            return [(file, file.stat().st_size) for file in _segments(self._folder)]

    def _end(self) -> tuple[Path, int, bool]:
        """Find the end, and return its file, its size, and whether a line was cut off that is not whole."""
        segments, cut = _segments(self._folder), False
        while segments and not segments[-1].stat().st_size and len(segments) > 1:
            segments.pop().unlink()  # who began it did not come to write
        if not segments:
            self._sequence, self._previous = 0, START
            return _segment(self._folder, 1), 0, False
        file = segments[-1]
        size = file.stat().st_size
        if self._known != (file, size):
            data, size = _last_line(file, size)
            cut = size != file.stat().st_size
            self._sequence, self._previous = _numbered(file, data)
            self._known = file, size
        return file, size, cut

    @contextmanager
    def _locked(self) -> Iterator[None]:
        held = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(held)
            yield
        finally:
            os.close(held)


def _lock(held: int) -> None:
    """Wait for the lock, but not for ever: a process that is frozen keeps it."""
    end = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                raise TimeoutError("another process holds the audit log, and does not go on") from None
            time.sleep(LOCK_SECONDS / 500)
        else:
            return


def of(settings: Settings) -> AuditLog:
    """Return the log of an installation."""
    return AuditLog(folder_of(settings), settings.instance)


def note(settings: Settings, entries: Sequence[Mapping[str, Value]]) -> str:
    """Write down what a command did, where the installation lies; return what went wrong, empty where nothing did."""
    if not settings.data_dir.is_dir():
        return ""
    try:
        of(settings).append([at_terminal(each) for each in entries])
    except OSError as error:
        return f"it is done, and could not be written to the audit log: {error}"
    return ""


def at_terminal(made: Mapping[str, Value]) -> dict[str, Value]:
    """Return an entry with who sits at the terminal, unless it says who."""
    terminal = _user()
    return {"who": terminal, "terminal": terminal} | dict(made)


def _user() -> str:
    """Return who sits at the terminal, by number where the machine has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _segment(folder: Path, sequence: int) -> Path:
    return folder / f"{sequence:012}.jsonl"


def _segments(folder: Path) -> list[Path]:
    return sorted(each for each in folder.glob("*.jsonl") if each.stem.isdecimal())


def tail_of(file: Path, size: int, most: int) -> bytes:
    """Return the last bytes of a file that is so long, and no more than `most` of them."""
    with file.open("rb") as opened:
        opened.seek(max(size - most, 0))
        return opened.read(min(size, most))


def last_entry(file: Path) -> dict[str, Any] | None:
    """Return the last entry of a file of the log; None where its last line is none, or was changed."""
    return read_entry(_last_line(file, file.stat().st_size)[0])


def _last_line(file: Path, size: int) -> tuple[bytes, int]:
    """Return the last whole line, and where it ends."""
    tail = tail_of(file, size, _TAIL_BYTES)
    end = tail.rfind(b"\n") + 1
    return tail[:end].removesuffix(b"\n").rpartition(b"\n")[2], size - (len(tail) - end)


def _numbered(file: Path, data: bytes) -> tuple[int, str]:
    """Return number and hash of a last line; where it was changed, the log goes on behind it and shows the break."""
    known: Any = read_entry(data)
    if known is not None:
        return known["sequence"], known["hash"]
    return int(file.stem) - 1 + sum(1 for _ in lines_of(file)), START


def _write(file: Path, size: int, data: bytes) -> None:
    """Append to a file that is so long; what fails leaves nothing of it behind."""
    new = not file.exists()
    try:
        _append(file, data, size)
    except OSError:
        with suppress(OSError):
            os.truncate(file, size)
        raise
    if new:
        _sync(file.parent)


def _append(file: Path, data: bytes, size: int | None = None) -> None:
    opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if size is not None:
            os.ftruncate(opened, size)  # a line that was cut in the middle
        left = memoryview(data)
        while left:
            left = left[os.write(opened, left) :]
        os.fsync(opened)
    finally:
        os.close(opened)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
