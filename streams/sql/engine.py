"""How the engine in this process is opened: where its folder is, and within which bounds it works."""

import os
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from streams.settings import Settings, SettingsError

BOUNDS: Final = {"config-file": str(resources.files("streams.sql").joinpath("engine.xml"))}
"""What whoever opens the engine gives it: the first handle of a process decides, and any may be the first."""


def folder(settings: Settings) -> Path:
    """Return the folder of a ``chdb://`` store, without links: the engine compares paths letter by letter.

    Raises
    ------
    SettingsError
        Where its name has a sign that ends it for the engine.
    """
    path = os.path.realpath(settings.clickhouse.removeprefix("chdb://"))
    if {"?", "#"} & {*path}:
        raise SettingsError(
            f"WATCHKEEPER_CLICKHOUSE: {path} has a ? or #, where a name ends for the engine; take another"
        )
    return Path(path)


def bounded(place: Path) -> str:
    """Return with which words chDB opens the engine of a folder within its bounds."""
    return f"{place}?{urlencode(BOUNDS)}"
