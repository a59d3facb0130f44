"""Backtests that people start in the console: one at a time, in a process of its own that can be ended."""

import asyncio
import contextlib
import os
import sys
from collections import deque
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from streams.access.teams import seen
from streams.replay.job import Asked, Told
from streams.settings import Settings

log: Final = structlog.get_logger()

KEPT: Final = 5
"""Backtests that are over and can still be looked at, until this process ends."""
LONGEST_LINE: Final = 4 * 2**20


class BusyError(ValueError):
    """Another backtest runs."""


class Backtest:
    """One backtest: what was asked, by whom, how far it is, and what came of it."""

    def __init__(self, number: int, asked: Asked, who: str) -> None:
        self.number, self.asked, self.who = number, asked, who
        self.began: Final = datetime.now(UTC)
        self.told = Told()
        self.cancelled_by = ""
        self.over = False
        self.process: asyncio.subprocess.Process | None = None

    @property
    def state(self) -> str:
        """What it is, in a word."""
        if not self.over:
            return "running"
        if self.cancelled_by:
            return "cancelled"
        return "done" if self.told.rows is not None else "failed"


class Backtests:
    """Those of this process, the newest first; one runs at a time.

    Parameters
    ----------
    settings
        Of the store that is asked, and of the policy in use.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings: Final = settings
        self.all: Final = deque[Backtest](maxlen=KEPT)
        self._task: asyncio.Task[None] | None = None
        self._number = 0

    def seen(self) -> list[Backtest]:
        """Return those that may be seen here and now: whoever sees some services alone, sees those about the same."""
        return [each for each in self.all if seen() in (None, each.asked.services)]

    @property
    def running(self) -> Backtest | None:
        """The one that runs."""
        return next((each for each in self.all if not each.over), None)

    def start(self, asked: Asked, who: str) -> Backtest:
        """Start one.

        Raises
        ------
        BusyError
            Where one runs already.
        """
        if (other := self.running) is not None:
            whose = f"one of {other.who}" if other in self.seen() else "another"
            raise BusyError(f"{whose} runs; wait for it, or cancel it")
        self._number += 1
        made = Backtest(self._number, asked, who)
        self.all.appendleft(made)
        self._task = asyncio.get_running_loop().create_task(self._run(made))
        return made

    def cancel(self, number: int, who: str) -> bool:
        """End the one of a number, and tell whether it still ran."""
        one = self.running
        if one is None or one.number != number or one not in self.seen():
            return False
        one.cancelled_by = who
        if one.process is not None:
            with contextlib.suppress(ProcessLookupError):
                one.process.kill()
        return True

    async def _run(self, one: Backtest) -> None:
        try:
            await self._follow(one)
        except (OSError, ValueError, msgspec.DecodeError) as error:
            log.warning("a backtest failed", error=str(error)[:200])
            one.told = Told(error="the process of the backtest could not be followed; the log says more")
        finally:
            one.over = True

    async def _follow(self, one: Backtest) -> None:
        settings = self._settings
        process = one.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.replay.job", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=dict(os.environ) | settings.environment(type(settings).model_fields), limit=LONGEST_LINE,
        )  # fmt: skip
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        if one.cancelled_by:
            process.kill()
        with contextlib.suppress(ConnectionError):
            process.stdin.write(msgspec.json.encode(one.asked) + b"\n")
            await process.stdin.drain()
        async for line in process.stdout:
            one.told = msgspec.json.decode(line, type=Told)
        code = await process.wait()
        if one.told.rows is None and not one.told.error:
            one.told = Told(error=f"the process of the backtest ended with status {code}; the log may say why")
