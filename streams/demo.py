"""The recorded week, played: real broker, real workers, real store, watched live in the terminal."""

import json
import shutil
import sys
import threading
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, Final

import requests
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streams.demo_engineer import Engineer, Pipeline
from streams.demo_incidents import compare_incidents
from streams.demo_kpis import show_kpis
from streams.demo_report import compare, print_grafana, print_queries
from streams.demo_settled import EVENT_TABLES, Stillness, check_ready, store_counts
from streams.found import FINDINGS_QUERY
from streams.local.broker import free_port
from streams.replay import Replay, read
from streams.settings import Settings
from streams.sql_client import ask_rows
from streams.terminal import console as terminal
from streams.up import WORKER_PORTS, Installation

WEEK_SECONDS: Final = 7 * 86_400
SETTLE_SECONDS: Final = 300.0
"""From the last event on; services elsewhere say by their stillness when they are done."""

SERVICES_QUERY: Final = """
WITH t AS (
    SELECT service_name, sum(events) AS events, sum(calls) AS calls, sum(unsafe_served) AS unsafe,
        sum(unsafe_served_trials) AS outputs, sum(injection_flag) AS injections, sum(leak) AS leaks,
        sum(refusal) AS refusals, sum(error) AS errors, sum(uncovered) AS uncovered, sumMap(latency_bins) AS bins
    FROM service_minutes_now GROUP BY service_name
)
SELECT service_name, events, unsafe, outputs, injections, leaks, refusals, errors,
    round(1 - uncovered / greatest(outputs, 1), 4) AS coverage,
    (unsafe / o + 1.92 / o - 1.96 * sqrt(unsafe / o * (1 - unsafe / o) / o + 0.9604 / o / o)) / (1 + 3.84 / o) AS low,
    (unsafe / o + 1.92 / o + 1.96 * sqrt(unsafe / o * (1 - unsafe / o) / o + 0.9604 / o / o)) / (1 + 3.84 / o) AS high,
    greatest(outputs, 1) AS o,
    pow(2, arrayFirst((b, c) -> c >= 0.95 * arraySum(mapValues(bins)), mapKeys(bins),
        arrayCumSum(mapValues(bins))) / 8) AS p95
FROM t ORDER BY service_name
"""
"""Rates with their Wilson intervals, and the 95th percentile from bins nine per cent wide."""


Settled = Callable[[int, int], bool]
"""Tells from the events and marks sent whether all is done."""


class Screen:
    """What the terminal shows while the week plays."""

    def __init__(self, settings: Settings, workers: dict[str, int], pipeline: Pipeline) -> None:
        self._settings: Final = settings
        self._pipeline: Final = pipeline
        self._workers: Final = workers
        self._started = time.monotonic()
        self.sent = 0
        self.event_time = 0

    def progress(self, sent: int, event_time: int) -> None:
        """Take note of how far the replay is."""
        self.sent, self.event_time = sent, event_time
        self._pipeline.progress(event_time)

    def draw(self) -> Group:
        """Return the screen as it is now."""
        elapsed = time.monotonic() - self._started
        moment = time.strftime("%a %Y-%m-%d %H:%M", time.gmtime(self.event_time / 1e9)) if self.event_time else "-"
        lag = " ".join(f"{name} {_lag(self._settings.host, port)}" for name, port in self._workers.items())
        head = Text(f"{moment} UTC   {self.sent} events, {self.sent / max(elapsed, 1):.0f}/s   waiting: {lag or '?'}")
        return Group(head, self._services(), self._findings())

    def _services(self) -> Table:
        names = (
            "service",
            "events",
            "unsafe served (95 %)",
            "injection",
            "leak",
            "refusal",
            "error",
            "p95 ms",
            "guarded",
        )
        table = Table(*names, expand=False)
        for row in ask_rows(self._settings, SERVICES_QUERY):
            table.add_row(
                row["service_name"],
                str(row["events"]),
                f"{int(row['unsafe']) / int(row['o']):.2%} ({row['low']:.2%} to {row['high']:.2%})",
                *(str(row[name]) for name in ("injections", "leaks", "refusals", "errors")),
                f"{row['p95']:.0f}",
                f"{row['coverage']:.1%}",
            )
        return table

    def _findings(self) -> Table:
        table = Table("detected", "", "service", "metric", "what", title="latest pages", expand=False)
        pages = [item for item in ask_rows(self._settings, FINDINGS_QUERY) if item["severity"] == "page"]
        for item in pages[-6:]:
            table.add_row(item["detected_ts"], "PAGE", item["service"], item["metric"], item["evidence"], style="red")
        return table


def _lag(host: str, port: int) -> Any:
    try:
        return requests.get(f"http://{host}:{port}/health", timeout=2).json()["lag"]
    except (requests.RequestException, ValueError):
        return "?"


def run_demo(settings: Settings, seconds: float) -> None:
    """Play the week, then hold what was found against what had been recorded."""
    console = terminal()
    shutil.rmtree(settings.data_dir, ignore_errors=True)
    settings = settings.model_copy(update={"sql_port": free_port(), "api_port": free_port()})
    console.print("starting a Kafka broker and four workers; nothing but this machine is involved")
    installation = Installation(settings, broker_port=free_port())
    try:
        installation.start()
        ok = _play_and_compare(installation.settings, seconds, console, WORKER_PORTS)
    finally:
        installation.stop()
    console.print(
        f"\nall of it lies in {settings.data_dir}; look again with: watchkeeper up --data-dir {settings.data_dir}"
    )
    if not ok:
        sys.exit(1)


def run_demo_there(settings: Settings, seconds: float) -> None:
    """Play the week to services that run already; their workers are watched through the store alone.

    Raises
    ------
    ValueError
        Where they are not all there, or have stored something already; with what to do.
    """
    console = terminal()
    check_ready(settings)
    console.print(f"playing to Kafka at {settings.kafka}, stored in {settings.clickhouse}")
    if not _play_and_compare(settings, seconds, console, {}):
        sys.exit(1)


def _play_and_compare(settings: Settings, seconds: float, console: Console, workers: dict[str, int]) -> bool:
    """Play the week with an engineer on call, and tell whether all came out as it should.

    Parameters
    ----------
    workers
        Ports of the workers' health pages; none where they can't be reached.
    """
    answers = json.loads((resources.files("streams.recorded") / "answers.json").read_text())
    engineer, pipeline = Engineer(settings), Pipeline(settings, answers)
    engineer.start()
    sent = _play(settings, seconds, console, Screen(settings, workers, pipeline), _done(settings, workers))
    engineer.stop()
    found = compare(settings, sent, answers, console)
    ok = compare_incidents(settings, answers, console) and found
    ok = show_kpis(settings, answers, console) and ok
    print_queries(settings, console)
    print_grafana(settings, console)
    return ok


def _play(settings: Settings, seconds: float, console: Console, screen: Screen, done: Settled) -> int:
    week = resources.files("streams.recorded") / "week.jsonl.gz"
    replay = Replay(settings, WEEK_SECONDS / seconds, screen.progress)
    with resources.as_file(week) as path:
        player = threading.Thread(target=replay.run, args=(read([Path(path)]),), daemon=True)
        player.start()
        with Live(screen.draw(), console=console, refresh_per_second=2, screen=console.is_terminal) as live:
            settled = 0.0
            while player.is_alive() or not done(screen.sent, replay.marks):
                time.sleep(1 if console.is_terminal else 3)
                live.update(screen.draw())
                settled = settled or (0.0 if player.is_alive() else time.monotonic())
                if settled and time.monotonic() - settled > SETTLE_SECONDS:
                    console.print(
                        f"not settled {SETTLE_SECONDS:.0f} s after the last event; what follows may be incomplete"
                    )
                    break
        player.join()
    return screen.sent


def _done(settings: Settings, workers: dict[str, int]) -> Settled:
    """Return what tells, from the events and marks sent, whether all is settled: by the workers, or by the store."""
    if workers:
        return lambda sent, marks: _settled(settings, workers, sent + marks)
    stillness = Stillness()
    return lambda sent, marks: stillness.settled(store_counts(settings), sent, marks, time.monotonic())


def _settled(settings: Settings, workers: dict[str, int], expected: int) -> bool:
    """Tell whether every worker has done all there is to do."""
    if any(_lag(settings.host, port) != 0 for port in workers.values()):
        return False
    stored = ask_rows(settings, f"SELECT {' + '.join(f'(SELECT count() FROM {name})' for name in EVENT_TABLES)} AS n")
    return int(stored[0]["n"]) >= expected
