"""The recorded week, played: real broker, real workers, real store, watched live in the terminal."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib import resources
from typing import Any, Final

from rich.console import Console

from streams.access.tokens import token_file
from streams.demo.engineer import Engineer, Pipeline
from streams.demo.health import Health
from streams.demo.incidents import compare_incidents
from streams.demo.kpis import write_report
from streams.demo.news import News, Played
from streams.demo.offsets import Offsets
from streams.demo.play import Follower, Pace, Player, recorded_week
from streams.demo.ready import check_ready
from streams.demo.report import compare
from streams.demo.screen import Screen
from streams.demo.settled import NotReadError
from streams.local.supervisor import ChildFailedError
from streams.local.up import Installation
from streams.settings import WORKER_PORTS, Settings
from streams.store.client import StoreUnavailableError
from streams.text.terminal import console as terminal
from streams.tls.asking import address

INTERRUPTED: Final = 130
"""Status where somebody has ended it, as shells have it; where not all was read it is `os.EX_TEMPFAIL`, 75."""


Play = Callable[[Settings, Pace, Console, Mapping[str, int], Callable[[], None]], int]
"""What is played, as `play_and_compare`."""


def run_demo(settings: Settings, pace: Pace, play: Play, *, stay: bool) -> None:
    """Start everything, play, and end with the status that this returned.

    Parameters
    ----------
    stay
        Whether everything stays up afterwards, to be looked at, until somebody ends it.
    """
    console = terminal()
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    console.print("starting a Kafka broker, five workers and a receiver; nothing but this machine is involved")
    installation = Installation(settings, say=partial(_say, console))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        installation.start()
        ports = {name: settings.worker_port(name) for name in WORKER_PORTS}
        status = play(installation.settings, pace, console, ports, installation.check)
        if stay and status != INTERRUPTED:
            _stay(installation, console)
    finally:
        installation.stop()
    console.print(f"look again: watchkeeper up --data-dir {settings.data_dir}", highlight=False)
    sys.exit(status)


def _stay(installation: Installation, console: Console) -> None:
    """Keep everything up until somebody ends it."""
    settings = installation.settings
    console.print(
        f"\nlook at it: [bold]{address(settings, settings.api_port)}/console/[/]  (its token is in "
        f"{token_file(settings)}; Ctrl-C ends it all)",
        highlight=False,
    )
    try:
        while True:
            installation.check()
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("ending")


def _say(console: Console, part: str, done: str, seconds: float) -> None:
    console.print(f"{part}: {done} ({seconds:.1f} s)")


def run_demo_there(settings: Settings, pace: Pace, play: Play) -> None:
    """Play to services that run already; how far they are is told by Kafka alone.

    Raises
    ------
    ValueError
        Where they are not all there, or have stored something already; with what to do.
    """
    console = terminal()
    check_ready(settings)
    console.print(f"playing to Kafka at {settings.kafka}, stored in {settings.clickhouse}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(play(settings, pace, console, {}, lambda: None))


def play_and_compare(
    settings: Settings, pace: Pace, console: Console, ports: Mapping[str, int], check: Callable[[], None]
) -> int:
    """Play the week with an engineer on call, and return the exit status: 0 where all came out as it should.

    Parameters
    ----------
    ports
        Of the workers' health pages; none where they can't be reached.
    check
        Keeps the workers running; called again and again while the week plays.
    """
    answers = json.loads((resources.files("streams.demo.recorded") / "answers.json").read_text())
    played = Played()
    player = Player(settings, pace, played, recorded_week, Pipeline(settings, answers))
    status, why = play_out(settings, console, player, Engineer(settings), ports, check)
    if status:
        return _report_unread(settings, player.sent, answers, console, status, why)
    try:
        good = _report(settings, player.sent, answers, console)
    except NotReadError as error:
        console.print(f"\nended early: {error}", style="bold yellow", highlight=False, markup=False)
        return os.EX_TEMPFAIL
    return 0 if good else 1


def play_out(
    settings: Settings, console: Console, player: Player, engineer: Engineer, ports: Mapping[str, int],
    check: Callable[[], None], afterwards: Callable[[], None] = lambda: None,
) -> tuple[int, str]:  # fmt: skip
    """Return 0 when all is sent and read; else the exit status and why not.

    Parameters
    ----------
    afterwards
        What people do once all of it is stored; that is read too.
    """
    news, offsets = News(settings, player.played), Offsets(settings)
    with ExitStack() as stack:
        stack.callback(offsets.close)
        for part in (news, engineer, player):
            part.start()
            stack.callback(part.stop)
        screen = stack.enter_context(Screen(settings, console))
        follower = Follower(player, offsets, Health(settings, offsets, ports), news, screen, check)
        try:
            follower.wait()
            engineer.stop()
            afterwards()
            follower.wait()  # what it did last is read too
        except (NotReadError, ChildFailedError) as error:
            return os.EX_TEMPFAIL, f"{error}\nnot read yet: {follower.unread()}"
        except KeyboardInterrupt:
            return INTERRUPTED, f"interrupted\nnot read yet: {follower.unread()}"
    return 0, ""


def _report(settings: Settings, sent: int, answers: list[dict[str, Any]], console: Console) -> bool:
    found = compare(settings, sent, answers, console)
    ok = compare_incidents(settings, answers, console) and found
    return write_report(settings, answers, console) and ok


def _report_unread(
    settings: Settings, sent: int, answers: list[dict[str, Any]], console: Console, status: int, why: str
) -> int:
    """Print what is known although not everything is read, and return the status."""
    console.print(f"\nended early: {why}", style="bold yellow", highlight=False, markup=False)
    for show in (compare_incidents, partial(compare, sent=sent)):
        try:
            show(settings, answers=answers, console=console, unread=True)
        except (StoreUnavailableError, ValueError) as error:
            console.print(f"not read yet: {error}", style="yellow", highlight=False, markup=False)
    console.print(
        f"\nended early, status {status}: what is marked as not read yet may still be found; {why.splitlines()[-1]}",
        style="bold yellow", highlight=False, markup=False,
    )  # fmt: skip
    return status
