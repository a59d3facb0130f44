"""Processor time and memory of every worker's work, as ratios to the code of an earlier commit.

    make bench-pace        # or: python -m tests.benchmarks.bench_pace --base COMMIT --events 71895 --pairs 5

Both run with the same interpreter on the same input, in turn, and each pair gives a ratio; the median counts. It is
processor time and not time on the clock, so a busy machine moves it little. Kafka is left out.
"""

import argparse
import gzip
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
BASE = "0f1762e"
"""The code before ticks that close together were counted in one pass."""

HOUR = 3_600
START = 1_772_409_600
SERVICES = 20
FASTEST_WANTED = 20_000
"""How many times faster than it passed a day should be caught up with."""

EIGHTH = 1 / 8
BESIDE = {"clock s": 15, "history MB": 600, "watch MB": 250, "detect MB": 200, "incidents MB": 150}
"""What is measured beside processor time at a cold start, and the most that is wanted."""


@dataclass
class Line:
    """A row of the table: what is measured, over which log, and the most that its ratio should be."""

    subject: str
    log: str
    text: str
    most: float | None = None
    base: list[dict] = field(default_factory=list)
    now: list[dict] = field(default_factory=list)

    def ratio(self, name="seconds"):
        """Return the median ratio of the pairs."""
        return statistics.median(now[name] / base[name] for base, now in zip(self.base, self.now, strict=True))

    def median(self, runs, name="seconds"):
        """Return the median of some runs."""
        return statistics.median(run[name] for run in runs)


LINES = (
    Line("watch", "week", "watch: events to windows", EIGHTH),
    Line("detect", "week", "detect: windows to findings", EIGHTH),
    Line("history", "week", "history: rows, inserts, rollups", EIGHTH),
    Line("incidents", "week", "incidents: 30,000 findings", EIGHTH),
    Line("history_live", "week", "history, ten small batches a second"),
    Line("watch", "away", "watch after a day away"),
    Line("detect", "away", "detect after a day away"),
    Line("tick_of_5000", "week", "ten ticks of 5,000 series"),
    Line("tick_of_500_services", "week", "ten ticks of 500 services"),
    Line("backtest", "week", "backtest of the events"),
    Line("checkpoint_of_10000", "week", "checkpoint of 10,000 series"),
    Line("watch_checkpoint", "week", "checkpoint of watch"),
    Line("cold_start", "week", "cold start, four workers and a broker"),
)


def week(work, events):
    """Write the first events of the recorded week."""
    with gzip.open(ROOT / "streams/demo/recorded/week.jsonl.gz") as recorded:
        return write(work / "week", recorded.read().splitlines()[:events])


def away(work, hours):
    """Write hours of twenty services, each called twice a minute: latencies that scatter, few flags."""
    from schemas.events import Inference
    from schemas.guards import GuardFinding, GuardResult
    from schemas.wire import encode

    rng, lines = random.Random(1), []
    finding = GuardFinding(category="sec.data_leakage.pii", severity=2, score=0.9, score_kind="probability")
    for number in range(SERVICES * 2 * 60 * hours):
        bad = rng.random() < 0.005
        guard = GuardResult(guard_name="pii", layer="output", status="ok", verdict="flag" if bad else "allow",
                            action="none", findings=[finding] if bad else None)  # fmt: skip
        second = number * 30 / SERVICES
        lines.append(encode(Inference(
            event_id=f"d{number}", source="bench", service_name=f"s{number % SERVICES}", model_version="m@1",
            time_unix_nano=int((START + second) * 1e9), session_id=f"s{number // 3}", trace_id=f"t{number}",
            operation_name="chat", request_model="m", outcome="completed", finish_reason_norm="stop",
            usage_input_tokens=rng.randrange(50, 500), usage_output_tokens=rng.randrange(50, 500),
            duration_ms=rng.lognormvariate(6.5, 0.4), guards=[guard],
        )))  # fmt: skip
    return write(work / "away", lines)


def write(path, lines):
    """Write events with the time at which each was written before it, and as they are; return how many."""
    import msgspec

    class Timed(msgspec.Struct):
        time_unix_nano: int

    decode = msgspec.json.Decoder(Timed).decode
    written = (b"%d %s" % (-(-decode(line).time_unix_nano // 1_000_000), line) for line in lines)
    path.write_bytes(b"\n".join(written) + b"\n")
    path.with_suffix(".jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return len(lines)


def run(tree, work, line):
    """Run a subject with the code of a tree, and return what it measured."""
    script = ROOT / "tests/benchmarks" / ("pace_start.py" if line.subject == "cold_start" else "pace_subjects.py")
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-P", str(script), line.subject, "--work", str(work), "--log", line.log]
    done = subprocess.run(command, env=environment, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{line.text} with the code in {tree}:\n{done.stderr[-3000:]}")
    return json.loads((work / "result.json").read_text())


def table(lines, base, hours):
    """Return the figures as a table."""
    shown = Table("work", "then", "now", "now / then", "memory", "wanted", title=f"processor time, {base} and now")
    for line in lines:
        then, now = line.median(line.base), line.median(line.now)
        spread = [one["seconds"] / other["seconds"] for one, other in zip(line.now, line.base, strict=True)]
        memory = f"{line.median(line.now, 'mb'):.0f} MB, {line.ratio('mb'):.2f} x"
        shown.add_row(
            line.text, cell(line, then, hours), cell(line, now, hours), f"{line.ratio():.3f} ({min(spread):.3f} to {max(spread):.3f})",
            memory, wanted(line, now, hours),
        )  # fmt: skip
        if "bytes" in line.now[0]:
            sizes = [f"{line.median(runs, 'bytes') / 1e3:,.0f} kB" for runs in (line.base, line.now)]
            shown.add_row("  its size", *sizes, f"{line.ratio('bytes'):.3f}", "", "")
        for name, most in BESIDE.items():
            if name in line.now[0]:
                then, now = line.median(line.base, name), line.median(line.now, name)
                met = "met" if now <= most else "short"
                shown.add_row(f"  {name}", f"{then:,.1f}", f"{now:,.1f}", f"{now / then:.3f}", "", f"<= {most}: {met}")
    total = [sum(line.median(runs) for line, runs in each) for each in four(lines)]
    if {line.subject for line in lines} >= {"watch", "detect", "history", "incidents"}:
        verdict = "<= 0.125: " + ("met" if total[1] / total[0] <= EIGHTH else "short")
        shown.add_row(
            "all four workers", f"{total[0]:.2f} s", f"{total[1]:.2f} s", f"{total[1] / total[0]:.3f}", "", verdict
        )
    return shown


def four(lines):
    """Return the rows of the workers over the week with their runs, then and now."""
    workers = [line for line in lines if line.most is not None]
    return [(line, line.base) for line in workers], [(line, line.now) for line in workers]


def cell(line, seconds, hours):
    """Return processor time as it is read best."""
    if line.log == "away":
        return f"{hours * HOUR / seconds:,.0f} x real time"
    amount = line.now[0]["amount"]
    return f"{seconds:.2f} s, {seconds / amount * 1e6:,.0f} us each"


def wanted(line, seconds, hours):
    """Return what is wanted of a row, and whether it is met."""
    if line.log == "away":
        return f">= {FASTEST_WANTED:,} x: " + ("met" if hours * HOUR / seconds >= FASTEST_WANTED else "short")
    return ""


def main():
    """Measure in pairs and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--events", type=int, default=71_895, help="of the recorded week")
    parser.add_argument("--hours", type=int, default=24, help="that watch and detect were away")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="subjects; all if none is named")
    chosen = parser.parse_args()
    lines = [line for line in LINES if not chosen.only or line.subject in chosen.only]
    with tempfile.TemporaryDirectory() as folder:
        work, tree = Path(folder) / "work", Path(folder) / "tree"
        work.mkdir()
        subprocess.run(["git", "worktree", "add", "--quiet", "--detach", tree, chosen.base], cwd=ROOT, check=True)
        try:
            told = f"{week(work, chosen.events):,} events of the week, {away(work, chosen.hours):,} of the time away"
            print(f"{told}, {chosen.pairs} pairs", flush=True)
            for line, _ in itertools.product(lines, range(chosen.pairs)):
                line.base.append(run(tree, work, line))
                line.now.append(run(ROOT, work, line))
                print(f"{line.text}: {line.now[-1]['seconds'] / line.base[-1]['seconds']:.3f}", flush=True)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", tree], cwd=ROOT, check=True)
    Console(width=150).print(table(lines, chosen.base, chosen.hours))


if __name__ == "__main__":
    main()
