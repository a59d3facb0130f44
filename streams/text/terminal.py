"""The terminal, or a file or pipe that stands in for one and is wide enough for our tables."""

import sys
from typing import Final

from rich.console import Console

WIDTH: Final = 160


def console() -> Console:
    """Return a console."""
    return Console(width=None if sys.stdout.isatty() else WIDTH)
