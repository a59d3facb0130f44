"""A backtest of stored history for another process, which is told how far it is and may end it at any time.

``python -m streams.replay.job`` takes an `Asked` as a line of JSON from standard input, and prints `Told` as lines. It
ends when its standard input does: with whoever asked.
"""

import os
import sys
import threading
import time
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from detectors.compiled import kernels
from streams.access.teams import Services, matches
from streams.policy.policy import load_policy, policy_over
from streams.replay.backtest import BacktestError, judge_windows
from streams.replay.show import Compared, compared
from streams.settings import Settings, load
from streams.store.ask import patience

MOST_ROWS: Final = 500
"""Rows of a comparison that are told; those in which the policies differ, and those that page, come first."""
PATIENCE_SECONDS: Final = 3_600.0
TELL_SECONDS: Final = 0.5
NICENESS: Final = 5
"""Of the process: live work goes first, and what is tried gets on."""


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """A period of stored history, and what a policy that is tried says otherwise than the one in use (YAML)."""

    since: datetime
    until: datetime
    policy: str
    services: Services = None
    """Of whose services what came of it is told; all are judged, because they share the promise of few false alarms."""


class Told(Struct, frozen=True, omit_defaults=True):
    """How far it is: windows that were read, up to when (Unix nanoseconds); at its end what came of it, or why not.

    `rows` compare the policy in use with the one that was tried; `of` is how many there are, `differ` how many of them
    differ.
    """

    windows: int = 0
    moment: int = 0
    rows: list[Compared] | None = None
    of: int = 0
    differ: int = 0
    error: str = ""


class _Telling:
    """Tells how far it is, now and then; partitions are read one after another, each from the beginning."""

    def __init__(self) -> None:
        self.before = self.windows = self._moment = 0
        self._told = time.monotonic()

    def __call__(self, windows: int, moment: int) -> None:
        if moment <= self._moment:
            self.before += self.windows
        self.windows, self._moment = windows, moment
        if time.monotonic() - self._told >= TELL_SECONDS:
            self._told = time.monotonic()
            _say(Told(self.before + windows, moment))


def comparison(settings: Settings, asked: Asked) -> Told:
    """Return what came of it.

    Raises
    ------
    PolicyError
        Where one of the policies cannot be used.
    BacktestError
        Where nothing is stored of that time.
    StoreUnavailableError
        Where no store answers.
    """
    policies = {"in use": load_policy(settings.policy), "tried": policy_over(settings.policy, asked.policy)}
    telling = _Telling()
    with patience(PATIENCE_SECONDS):
        rows = compared(judge_windows(settings, policies, (asked.since, asked.until), telling))
    rows = [row for row in rows if matches(asked.services, row.service)]
    worst_first = sorted(rows, key=lambda row: (not row.differs, not any(count.pages for count in row.counts)))
    differ = sum(row.differs for row in rows)
    return Told(telling.before + telling.windows, rows=worst_first[:MOST_ROWS], of=len(rows), differ=differ)


def main() -> None:
    """Run what is asked."""
    asked = msgspec.json.decode(sys.stdin.buffer.readline(), type=Asked)
    threading.Thread(target=_end_with_whoever_asked, daemon=True).start()
    os.nice(NICENESS)
    kernels.load()
    try:
        told = comparison(load(), asked)
    except (BacktestError, ValueError, OSError) as error:
        told = Told(error=str(error)[:2_000])
    _say(told)


def _say(told: Told) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
    sys.stdout.buffer.flush()


def _end_with_whoever_asked() -> None:
    while os.read(sys.stdin.fileno(), 4_096):  # not the buffer: its lock would be held when this process ends
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
