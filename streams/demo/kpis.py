"""The KPIs of what was played: the hours that nobody may trust, and the report."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from schemas.sql import query
from streams.api.client import ApiError, call
from streams.api.report import report
from streams.demo.screen import SAY_SECONDS
from streams.demo.settled import STUCK_SECONDS, NotReadError
from streams.kpis.period import Period
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.store.client import StoreUnavailableError

GAP: Final = query("streams.demo", "gap")
FILE: Final = "report.html"


def write_report(settings: Settings, answers: list[dict[str, Any]], console: Console) -> bool:
    """Write the report of the week, and tell whether the gap in the traffic made its hours untrusted.

    Raises
    ------
    NotReadError
        Where the evidence is not gathered, or the hours are not judged, and nothing moves any more.
    """
    settle(settings, console)
    since = min(datetime.fromisoformat(answer["start"]) for answer in answers).replace(hour=0, minute=0, second=0)
    period = Period(since - timedelta(days=1), since + timedelta(days=6))
    [gap] = [answer for answer in answers if answer["kind"] == "traffic_gap"]
    times = {"service": gap["service"], "since": gap["start"], "until": gap["end"]}
    hours = ask_running(settings, GAP, dict(times))
    distrusted = bool(hours) and all(hour["trust"] == "untrusted" for hour in hours)
    console.print(f"hours of the traffic gap: {'[green]untrusted[/]' if distrusted else '[bold red]TRUSTED[/]'}")
    write_page(settings, period, console)
    return distrusted


def settle(settings: Settings, console: Console) -> None:
    """Wait until each incident has its evidence and the trust of all hours is judged; errors as of `write_report`."""
    _await_evidence(settings, console)
    _await_trust(settings, console)


def write_page(settings: Settings, period: Period, console: Console) -> None:
    """Write the report of a period, and say where."""
    path = Path(settings.data_dir) / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report(settings, period))
    console.print(f"all KPIs on one page, people played by a script: {path}", highlight=False)


def _await_trust(settings: Settings, console: Console) -> None:
    """Wait until trust has been judged by all that is stored; the store does it every ten seconds."""
    began = int(datetime.now(UTC).timestamp())

    def left() -> int:
        [row] = ask_running(settings, "SELECT toUnixTimestamp(max(judged_at)) AS judged FROM trust_hours", {})
        return int(int(row["judged"]) <= began)

    _wait(left, "hours to be judged: whether they can be trusted", console)


def _await_evidence(settings: Settings, console: Console) -> None:
    """Wait until each incident has its evidence: it is gathered beside the fold."""

    def left() -> int:
        listed = call(settings, "GET", "/incidents")["incidents"]
        return sum(not call(settings, "GET", f"/incidents/{each['incident_id']}")["evidence"] for each in listed)

    _wait(left, "evidence of incidents", console)


def _wait(left: Callable[[], int], what: str, console: Console) -> None:
    """Ask every second until nothing is left, however long that takes while it becomes less.

    Raises
    ------
    NotReadError
        Where it has not become less for long.
    """
    before, moved = -1, time.monotonic()
    said = moved
    while True:
        try:
            now_left = left()
        except (ApiError, StoreUnavailableError):
            now_left = before
        now = time.monotonic()
        if not now_left:
            return
        if now_left != before:
            before, moved = now_left, now
        if now - moved >= STUCK_SECONDS:
            raise NotReadError(f"nothing has moved for {now - moved:.0f} s while waiting for {what}")
        if now - said >= SAY_SECONDS:
            console.print(f"waiting for {what}: {now_left} left", highlight=False)
            said = now
        time.sleep(1)
