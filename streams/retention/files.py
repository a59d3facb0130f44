"""Old files of the data folder: logs, which go on in another file each day, and reports."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from streams.policy.retention import DAY, Class, Retention
from streams.retention.store import Going
from streams.settings import Settings

_FOLDERS: Final[tuple[tuple[str, Class], ...]] = (("logs", "logs"), ("kafka", "logs"), ("reports", "reports"))


def plan(settings: Settings, retention: Retention, now: float) -> list[Going]:
    """Return what is too old now, folder by folder."""
    return [
        _going(name, of, retention.before(of, now), _old(settings.data_dir / name, of, retention.before(of, now)))
        for name, of in _FOLDERS
    ]


def carry_out(settings: Settings, retention: Retention, now: float) -> list[Going]:
    """Begin logs of yesterday anew, remove what is too old, and return it.

    Raises
    ------
    OSError
        Where a file can't be removed.
    """
    for name in ("logs", "kafka"):
        _turn(settings.data_dir / name, now)
    found = []
    for name, of in _FOLDERS:
        before = retention.before(of, now)
        old = list(_old(settings.data_dir / name, of, before))
        found.append(_going(name, of, before, iter(old)))
        for file in old:
            file.unlink(missing_ok=True)
    return [going for going in found if going.gone]


def _old(folder: Path, of: Class, before: int) -> Iterator[Path]:
    """Yield the files of a folder that were written last before a time; logs that go on are none of them."""
    pattern = "*.log.*" if of == "logs" else "*"
    for file in sorted(folder.glob(pattern)):
        if file.is_file() and not file.is_symlink() and file.stat().st_mtime < before:
            yield file


def _going(name: str, of: Class, before: int, old: Iterator[Path]) -> Going:
    written = [int(file.stat().st_mtime) for file in old]
    return Going("files", name, of, before, len(written), min(written, default=None))


def _turn(folder: Path, now: float) -> None:
    """Move what a log has said until today into a file of its own; who writes it has it open and goes on with it.

    A line that is written in that very moment may be lost.
    """
    today = int(now) // DAY * DAY
    for file in folder.glob("*.log"):
        aside = file.with_name(f"{file.name}.{datetime.fromtimestamp(today - DAY, UTC):%Y-%m-%d}")
        if file.stat().st_size and not aside.exists():
            shutil.copy2(file, aside)
            with file.open("r+b") as opened:
                opened.truncate(0)
