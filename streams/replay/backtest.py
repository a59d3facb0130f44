"""What would have been found? Recorded events or stored windows through the very code that runs live.

They are read once, block by block, and every policy judges each block: memory does not grow with what is read.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

from detectors.compiled import kernels
from schemas.findings import Finding
from streams.detect.judge import Judge
from streams.detect.merge import united
from streams.policy.policy import Policy, load_policy
from streams.replay.reading import Step, read_events, stored_windows, window_partitions
from streams.replay.send import Progress
from streams.replay.show import as_lines, side_by_side
from streams.settings import Settings
from streams.watch.single.along import AlongTraces
from streams.watch.single.at_once import findings_at_once
from streams.watch.single.odd import OddWatch

TICKS_AT_ONCE: Final = 1_000
"""Ticks of stored windows that are held together."""

Policies = Mapping[str, Policy]
Runs = dict[str, list[Finding]]


class BacktestError(ValueError):
    """A backtest that cannot be run; the message says what to do."""


class _Run:
    """One policy, and what it has found so far in recorded events."""

    def __init__(self, settings: Settings, policy: Policy) -> None:
        idle = -(-settings.session_memory_seconds // settings.tick_seconds)
        self._policy = policy
        self._judge = Judge(settings.tick_seconds, 1.0, settings.max_series, policy)
        self._odd = OddWatch(settings.tick_seconds, idle, 1.0, policy)
        self._along = AlongTraces(settings.tick_seconds, policy)
        self.found: list[Finding] = []

    def take(self, step: Step) -> None:
        for kind, columns in step.decoded.kinds.items():
            self.found += findings_at_once(columns, step.flags[kind].guards, self._policy)
        self.found += self._odd.judge(step.block)
        self.found += self._along.judge(step.block)
        self.found += self._judge.judge_steps([([tick], tick[0]) for tick in step.ticks])


def judge_events(settings: Settings, steps: Iterable[Step], policies: Policies) -> Runs:
    """Return everything that each policy finds in recorded events, which are read once."""
    runs = {name: _Run(settings, policy) for name, policy in policies.items()}
    for step in steps:
        for run in runs.values():
            run.take(step)
    return {name: _in_order(run.found) for name, run in runs.items()}


def judge_windows(
    settings: Settings, policies: Policies, period: tuple[datetime, datetime], progress: Progress = lambda *_: None
) -> Runs:
    """Return what each policy finds in the stored windows of some time; single events are not in them.

    Raises
    ------
    BacktestError
        Where the store has no windows of that time.
    """
    partitions = window_partitions(settings)
    found: Runs = {name: [] for name in policies}
    seen = 0
    for partition in partitions:
        judges = {
            name: Judge(settings.tick_seconds, 1 / len(partitions), settings.max_series, policy)
            for name, policy in policies.items()
        }
        windows = stored_windows(settings, partition, period, progress)
        of_ticks = ((tick, united(each)) for tick, each in itertools.groupby(windows, key=lambda window: window.tick))
        while ticks := list(itertools.islice(of_ticks, TICKS_AT_ONCE)):
            seen += len(ticks)
            for name, judge in judges.items():
                found[name] += judge.judge_steps([([tick], tick[0]) for tick in ticks])
    if not seen:
        since, until = period
        raise BacktestError(f"no windows are stored between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC")
    return {name: _in_order(findings) for name, findings in found.items()}


def _in_order(found: list[Finding]) -> list[Finding]:
    return sorted(found, key=lambda finding: (finding.detected_time_unix_nano, finding.finding_id))


def run_backtest(
    settings: Settings,
    files: list[Path],
    period: tuple[datetime, datetime] | None,
    others: list[Path],
    *,
    as_json: bool,
) -> None:
    """Run a backtest with the policy in use and all others that are named; print them beside each other.

    Raises
    ------
    BacktestError
        Where it is not said what to run, or there is nothing.
    PolicyError
        Where a policy cannot be used.
    """
    if bool(files) == bool(period):
        raise BacktestError("name files of recorded events, or --from and --to for stored history")
    kernels.load()
    policies = {"the policy in use": load_policy(settings.policy)} | {str(path): load_policy(path) for path in others}
    with _told("windows" if period else "events") as progress:
        if period is not None:
            runs = judge_windows(settings, policies, period, progress)
        else:
            runs = judge_events(settings, read_events(settings, files, progress), policies)
    if as_json:
        for line in as_lines(runs):
            print(json.dumps(line))  # noqa: T201
    else:
        Console().print(side_by_side(runs))


@contextmanager
def _told(what: str) -> Iterator[Progress]:
    """Show on a terminal how far it is; nothing of it stays, and nothing goes to the output."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading")

        def progress(count: int, time_unix_nano: int) -> None:
            moment = datetime.fromtimestamp(time_unix_nano / 1e9, UTC)
            bar.update(task, description=f"{count:,} {what}, up to {moment:%Y-%m-%d %H:%M}")

        yield progress
