"""What the terminal shows while the week plays, and what is printed instead where there is none."""

import threading
import time
from collections import deque
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import requests
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from detectors.intervals import wilson
from schemas.sql import query
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError
from streams.text.shares import interval, percent

SAY_SECONDS: Final = 10.0
"""How often it is said how far everything is, where no screen shows it."""

REFRESH_SECONDS: Final = 1.0
PAGES: Final = 12

SERVICES_QUERY: Final = query("streams.demo", "services")
"""Counts, and the 95th percentile from bins nine per cent wide."""

COLUMNS: Final = (
    "service", "events", "unsafe served (95 %)", "injection", "leak", "refusal", "error", "p95 ms", "guarded",
)  # fmt: skip


def services_table(rows: list[dict[str, Any]]) -> Table:
    """Return the services as `SERVICES_QUERY` finds them."""
    table = Table(*COLUMNS, expand=False)
    unsafe, outputs = (np.array([float(row[name]) for row in rows]) for name in ("unsafe", "outputs"))
    rates = unsafe / np.maximum(outputs, 1)
    for row, rate, low, high in zip(rows, rates, *wilson(unsafe, outputs), strict=True):
        table.add_row(
            row["service_name"],
            str(row["events"]),
            f"{percent(rate)} ({interval(low, high)})",
            *(str(row[name]) for name in ("injections", "leaks", "refusals", "errors")),
            f"{row['p95']:.0f}",
            percent(row["coverage"], 1),
        )
    return table


class Screen:
    """Shows the services, the news and what is waited for; as a screen, or as a line each where there is none."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings: Final = settings
        self._console: Final = console
        self._news: Final[deque[str]] = deque(maxlen=PAGES)
        self._rows: list[dict[str, Any]] = []
        self._said = time.monotonic()
        self._live = Live(console=console, auto_refresh=False, screen=True) if console.is_terminal else None
        self._stop: Final = threading.Event()
        self._reader: Final = threading.Thread(target=self._read, name="services", daemon=True)

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live is not None:
            self._live.start()
            self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the terminal back."""
        self._stop.set()
        if self._live is not None:
            self._live.stop()

    @property
    def due(self) -> bool:
        """Tell whether it is time to say how far everything is."""
        return self._live is not None or time.monotonic() - self._said >= SAY_SECONDS

    def news(self, lines: list[str]) -> None:
        """Take what has opened."""
        self._news.extend(lines)
        if self._live is None:
            for line in lines:
                self._console.print(line, style="red", highlight=False, markup=False, soft_wrap=True)

    def show(self, status: str) -> None:
        """Say how far everything is."""
        self._said = time.monotonic()
        if self._live is None:
            self._console.print(status, highlight=False, markup=False, soft_wrap=True)
            return
        opened = [Text(line, style="red", overflow="ellipsis", no_wrap=True) for line in self._news]
        self._live.update(Group(Text(status), services_table(self._rows), *opened), refresh=True)

    def _read(self) -> None:
        """Ask for the services apart from the rest: a store that hangs holds nothing else up."""
        while not self._stop.wait(REFRESH_SECONDS):
            try:
                self._rows = ask_running(self._settings, SERVICES_QUERY, {})
            except (StoreUnavailableError, ValueError, requests.RequestException):
                continue
