"""What a killed `watchkeeper up` has left behind: found by a mark in its environment, and ended.

Linux ends children with their parent (`die_with_parent`); where that was cut off, they are found here.
"""

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Final

MARK: Final = "WATCHKEEPER_KEPT_IN"
WAIT_SECONDS: Final = 10.0


def marked(folder: Path) -> dict[str, str]:
    """Return the environment of a child of the installation in a folder."""
    return {**os.environ, MARK: str(folder.absolute())}


def end_orphans(folder: Path) -> list[int]:
    """End what runs for the installation in a folder, and return its process ids; its holder must be nobody else.

    Only where the system shows environments (`/proc`).
    """
    found = _marked(folder)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + WAIT_SECONDS
    while _marked(folder) and time.monotonic() < end:
        time.sleep(0.05)  # nobody but a parent is told that a process has ended
    return found


def _marked(folder: Path) -> list[int]:
    mark = f"{MARK}={folder.absolute()}".encode()
    ours, found = (os.getpid(), os.getppid()), []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            if int(process.name) not in ours and mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found
