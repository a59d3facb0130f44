"""How a process logs: structlog's lines and everyone else's, on the error stream."""

import contextlib
import io
import logging
import sys
from typing import Any, TextIO, cast

import structlog

from streams.health.noise import Lasting
from streams.settings import Settings


class Unbroken(io.TextIOBase):
    """A stream of lines that breaks nobody who writes to it: what can't be written is left out.

    A log stands on a disk that may be full, or in a pipe whose reader has ended. Whoever tells of a problem goes on
    all the same; that the disk is full is told where there is room, by the health page and the gauge.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write as far as it can be."""
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, as far as it can be."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure_logs(settings: Settings) -> None:
    """Send structlog's lines and everyone else's to the error stream."""
    level = logging.getLevelName(settings.log_level)
    renderer: Any = structlog.processors.JSONRenderer()
    if settings.log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Unbroken(sys.stderr))),
    )
    logging.basicConfig(level=max(level, logging.WARNING), format="%(name)s: %(message)s", stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Lasting())
