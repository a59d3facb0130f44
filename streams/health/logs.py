"""How a process logs: structlog's lines and everyone else's, on the error stream."""

import logging
import sys
from typing import Any

import structlog

from streams.health.noise import Lasting
from streams.settings import Settings


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=max(level, logging.WARNING), format="%(name)s: %(message)s", stream=sys.stderr)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Lasting())
