"""What would have been found? Recorded events or stored windows through the very code that runs live."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from schemas.events import Event
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.sql import query
from schemas.windows import Window
from schemas.wire import decoder, encode
from streams.detect.judge import Judge
from streams.detect.merge import united
from streams.detect.watcher import TickSums
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.policy.policy import Policy, load_policy
from streams.replay.send import read
from streams.settings import Settings
from streams.store.ask import Parameters, ask
from streams.watch.counting import countable
from streams.watch.reduce import reduce_tick
from streams.watch.sessions import Memory
from streams.watch.single.odd import OddWatch
from streams.watch.single.severe import severe_findings
from streams.watch.ticks import Part, PartitionTicks

BATCH: Final = 4_000

WINDOWS_QUERY: Final = query("streams.replay", "windows")
PARTITIONS_QUERY: Final = "SELECT DISTINCT kafka_partition FROM window_messages ORDER BY kafka_partition FORMAT TSV"


class BacktestError(ValueError):
    """A backtest that cannot be run; the message says what to do."""


@dataclass(slots=True)
class Line:
    """A recorded event as if it had just come from Kafka, written when it happened."""

    value: bytes
    offset: int
    timestamp: int
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Recorded:
    """What a file of events comes to, whatever the policy: closed ticks, and severe events."""

    ticks: list[tuple[int, list[Part], TickSums]] = field(default_factory=list)
    severe: list[Finding] = field(default_factory=list)
    events: int = 0
    refused: int = 0


def read_events(settings: Settings, files: Iterable[Path]) -> Recorded:
    """Return the ticks of recorded events, in their order, as one partition.

    Raises
    ------
    ReplayError
        Where a file cannot be read.
    """
    recorded, decode = Recorded(), events_decoder()
    ticks = PartitionTicks(settings.tick_seconds * NANO, settings.lateness_seconds * NANO)
    memory = Memory(-(-settings.session_memory_seconds // settings.tick_seconds))
    for batch in _batches(read(files)):
        decoded = decode(batch)
        written = np.array([line.timestamp for line in batch], np.int64)
        flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
        ticks.add(countable(decoded, flags, written))
        for kind, columns in decoded.kinds.items():
            recorded.severe += severe_findings(columns, flags[kind].guards)
        recorded.events += len(batch)
        recorded.refused += len(decoded.refused)
        _close(ticks, memory, recorded)
    if ticks.newest is not None:
        ticks.newest += (settings.lateness_seconds + settings.tick_seconds) * NANO  # nothing more will come
    _close(ticks, memory, recorded)
    return recorded


def _close(ticks: PartitionTicks, memory: Memory, recorded: Recorded) -> None:
    recorded.ticks += [(tick, parts, reduce_tick(parts, tick, memory)) for tick, parts in ticks.close()]


def _batches(events: Iterable[Event]) -> Iterator[list[Line]]:
    lines = (Line(encode(event), offset, -(-event.time_unix_nano // 1_000_000)) for offset, event in enumerate(events))
    while batch := list(itertools.islice(lines, BATCH)):
        yield batch


def judge_events(settings: Settings, recorded: Recorded, policy: Policy) -> list[Finding]:
    """Return everything that a policy finds in recorded events."""
    judge = Judge(settings.tick_seconds, 1.0, settings.max_series, policy)
    idle = -(-settings.session_memory_seconds // settings.tick_seconds)
    odd = OddWatch(settings.tick_seconds, idle, 1.0, policy)
    found = list(recorded.severe)
    for tick, parts, sums in recorded.ticks:
        found += [*odd.judge(tick, parts), *judge.judge(tick, sums), *judge.advance(tick)]
    return _in_order(found)


def judge_windows(settings: Settings, policy: Policy, since: datetime, until: datetime) -> list[Finding]:
    """Return what a policy finds in the stored windows of some time; single events are not in them.

    Raises
    ------
    BacktestError
        Where the store has no windows of that time.
    """
    partitions = [int(line) for line in ask(settings, PARTITIONS_QUERY, "TSV").split()]
    found: list[Finding] = []
    seen = 0
    for partition in partitions:
        judge = Judge(settings.tick_seconds, 1 / len(partitions), settings.max_series, policy)
        windows = _stored(settings, partition, since, until)
        for tick, of_tick in itertools.groupby(windows, key=lambda window: window.tick):
            seen += 1
            found += [*judge.judge(tick, united(of_tick)), *judge.advance(tick)]
    if not seen:
        raise BacktestError(f"no windows are stored between {since:%Y-%m-%d %H:%M} and {until:%Y-%m-%d %H:%M} UTC")
    return _in_order(found)


def _stored(settings: Settings, partition: int, since: datetime, until: datetime) -> Iterator[Window]:
    decode = decoder(Window)
    while since < until:  # a day at a time: what the store may answer at once is limited
        end = min(since + timedelta(days=1), until)
        asked: Parameters = {"partition": partition, "since": int(since.timestamp()), "until": int(end.timestamp())}
        for line in ask(settings, WINDOWS_QUERY, "JSONEachRow", asked).splitlines():
            window = decode(json.loads(line)["payload"].encode(), 0)
            assert isinstance(window, Window)  # noqa: S101
            yield window
        since = end


def _in_order(found: list[Finding]) -> list[Finding]:
    return sorted(found, key=lambda finding: (finding.detected_time_unix_nano, finding.finding_id))


def side_by_side(runs: dict[str, list[Finding]]) -> Table:
    """Return what each policy found, a row for each service, kind and metric that any of them found."""
    shown = Table("service", "kind", "metric", *runs, title="What would have been found", expand=False)
    cells: dict[tuple[str, ...], dict[str, list[Finding]]] = {}
    for name, found in runs.items():
        for finding in found:
            if finding.kind != "recovery":
                key = (finding.service_name, str(finding.kind), finding.metric)
                cells.setdefault(key, {}).setdefault(name, []).append(finding)
    for names, by_run in sorted(cells.items()):
        shown.add_row(*names, *(_cell(by_run.get(name, [])) for name in runs))
    return shown


def _cell(found: list[Finding]) -> str:
    if not found:
        return "-"
    counts = {level: sum(item.severity == level for item in found) for level in ("page", "ticket", "info")}
    first = datetime.fromtimestamp(found[0].detected_time_unix_nano / 1e9, UTC)
    words = ", ".join(f"{amount} {level}{'s' * (amount > 1)}" for level, amount in counts.items() if amount)
    return f"{words}; first {first:%m-%d %H:%M}"


def as_lines(runs: dict[str, list[Finding]]) -> Iterator[dict[str, Any]]:
    """Yield every finding of every policy as plain values."""
    for name, found in runs.items():
        for finding in found:
            yield {
                "policy": name,
                "service": finding.service_name,
                "kind": finding.kind,
                "severity": finding.severity,
                "metric": finding.metric,
                "detected_unix_nano": finding.detected_time_unix_nano,
                "evidence": finding.evidence,
            }


def run_backtest(
    settings: Settings,
    files: list[Path],
    period: tuple[datetime, datetime] | None,
    other: Path | None,
    *,
    as_json: bool,
) -> None:
    """Run a backtest with the policy in use and, if one is named, with another; print both beside each other.

    Raises
    ------
    BacktestError
        Where it is not said what to run, or there is nothing.
    PolicyError
        Where a policy cannot be used.
    """
    if bool(files) == bool(period):
        raise BacktestError("name files of recorded events, or --from and --to for stored history")
    policies = {"the policy in use": load_policy(settings.policy)}
    if other is not None:
        policies[str(other)] = load_policy(other)
    if period is not None:
        runs = {name: judge_windows(settings, policy, *period) for name, policy in policies.items()}
    else:
        recorded = read_events(settings, files)
        runs = {name: judge_events(settings, recorded, policy) for name, policy in policies.items()}
    if as_json:
        for line in as_lines(runs):
            print(json.dumps(line))  # noqa: T201
    else:
        Console().print(side_by_side(runs))
