"""What the client libraries log of connections, held back until it has lasted.

A broker that starts, or starts again, is not there for a few seconds; each client tells of that several times a
second. Whoever waits for it says so in words of ours, so only what goes on is worth a line, and that now and then.
"""

import logging
import time
from typing import Final

LIBRARIES: Final = ("kafka", "aiokafka", "faust", "mode", "asyncio", "urllib3")
LASTS_SECONDS: Final = 15.0
"""How long a library must have gone on before it is heard."""
PAUSE_SECONDS: Final = 20.0
"""After how long without a word what follows counts as new."""
EVERY_SECONDS: Final = 10.0


class Lasting(logging.Filter):
    """Lets a library speak of connections when it has done so for a while, and then once every few seconds."""

    def __init__(self) -> None:
        super().__init__()
        self._began: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._let: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is to be written."""
        library = record.name.partition(".")[0]
        if library not in LIBRARIES or record.exc_info or not _of_connections(record):
            return True
        now = time.monotonic()
        if now - self._last.get(library, -PAUSE_SECONDS) >= PAUSE_SECONDS:
            self._began[library] = now
        self._last[library] = now
        if now - self._began[library] < LASTS_SECONDS or now - self._let.get(library, -EVERY_SECONDS) < EVERY_SECONDS:
            return False
        self._let[library] = now
        return True


def _of_connections(record: logging.LogRecord) -> bool:
    """Tell whether a record is about brokers that can't be reached now."""
    if record.levelno <= logging.WARNING:
        return True
    text = record.getMessage().lower()
    return record.levelno <= logging.ERROR and any(word in text for word in _WORDS)


_WORDS: Final = ("connect", "bootstrap", "metadata", "socket", "coordinator", "timed out", "heartbeat")
