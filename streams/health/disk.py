"""Room on a disk: who writes there stops before it is full, and goes on when there is room again."""

import shutil
from pathlib import Path
from typing import Final

_MB: Final = 1_000_000
_BACK: Final = 1.1
"""How much more than the floor must be free before writing goes on, so that it does not begin and stop in turn."""


class Floor:
    """A least amount of free room.

    Parameters
    ----------
    folder
        On the disk in question; it need not be there yet.
    megabytes
        The floor; 0 for none.
    back_megabytes
        From when on there is room again; a little more than the floor if None.
    """

    def __init__(self, folder: Path, megabytes: float, back_megabytes: float | None = None) -> None:
        self._folder: Final = folder.absolute()
        self._least: Final = megabytes
        self._back: Final = megabytes * _BACK if back_megabytes is None else back_megabytes
        self._short = False

    def short(self) -> str | None:
        """Return what is wrong where there is too little room, and None where there is enough."""
        there = next(folder for folder in (self._folder, *self._folder.parents) if folder.exists())
        left = shutil.disk_usage(there).free / _MB
        wanted = self._back if self._short else self._least
        self._short = left < wanted
        if not self._short:
            return None
        return f"the disk of {self._folder} is nearly full: {left:.0f} MB are free, {wanted:.0f} MB are wanted"
