"""How the engine in this process is opened: where its folder is, and within which bounds it works."""

import os
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from streams.settings import Settings

BOUNDS: Final = {"config-file": str(resources.files("streams.sql").joinpath("engine.xml"))}
"""What whoever opens the engine gives it: the first handle of a process decides, and any may be the first."""


def folder(settings: Settings) -> Path:
    """Return the folder of a ``chdb://`` store, without links: the engine compares paths letter by letter."""
    return Path(os.path.realpath(settings.clickhouse.removeprefix("chdb://")))


def bounded(place: Path) -> str:
    """Return with which words chDB opens the engine of a folder within its bounds."""
    return f"{place}?{urlencode(BOUNDS)}"
