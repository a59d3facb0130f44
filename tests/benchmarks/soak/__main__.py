"""Runs an installation for hours with everything on, and reports what grew.

python -m tests.benchmarks.soak [--hours 2] [--rate 20] [--people 20] [--calm] [--folder data/soak] [--pictures docs/pictures]
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil

from streams.store.ask import ask_rows
from tests.benchmarks.soak.load import Load
from tests.support.authority import Authority
from tests.support.installation import Up

KINDS: Final = ("broker", "history", "watch", "detect", "incidents", "normalise", "receiver")
WARM_UP: Final = 0.2
"""Hours of a process after which its growth is looked at: its caches fill first, also when it was started again."""
HEAD: Final = ("part", "memory, MB: first, last, most", "an hour", "its own: last", "an hour", "files: last", "an hour",
               "threads: last", "started again")  # fmt: skip
STORE: Final = "store"
PARTS: Final = "SELECT countIf(active) AS active, count() AS parts FROM system.parts"


class Samples:
    """What each part took, every half minute."""

    def __init__(self, up: Up) -> None:
        self._up, self._began = up, time.monotonic()
        self.rows: list[dict[str, Any]] = []

    def look(self) -> None:
        """Look once; a part that is being started again has no row."""
        at, size = (time.monotonic() - self._began) / 3_600, _size(self._up.folder)
        for name in KINDS:
            part = self._up.part(name)
            try:
                process = psutil.Process(part["pid"])
                memory = process.memory_info()
                taken = {"memory": memory.rss / 2**20, "own": (memory.rss - memory.shared) / 2**20,
                         "files": process.num_fds(), "threads": process.num_threads()}  # fmt: skip
            except (psutil.Error, KeyError, TypeError):
                continue
            self.rows.append({"at": at, "part": name, "pid": part["pid"], "disk": size, **taken})
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            [stored] = ask_rows(self._up.settings, PARTS)
            self.rows.append({"at": at, "part": STORE, "pid": 0, **{name: int(many) for name, many in stored.items()}})


def _size(folder: Path) -> float:
    """Return what a folder takes, MB; files and folders that go meanwhile count for nothing."""
    found = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                found += (Path(place) / name).stat().st_size
    return found / 2**20


def growth(rows: list[dict[str, Any]], figure: str) -> float:
    """Return by how much a figure grew an hour, within processes that had warmed up (least squares)."""
    hours, values = [], []
    for pid in {row["pid"] for row in rows}:
        of = [(row["at"], row[figure]) for row in rows if row["pid"] == pid]
        warm = [(at, value) for at, value in of if at >= of[0][0] + WARM_UP]
        if len(warm) >= 5:
            at, value = np.array(warm).T
            hours.append(at - at.mean())
            values.append(value - value.mean())
    if not hours:
        return float("nan")
    x, y = np.concatenate(hours), np.concatenate(values)
    return float((x * y).sum() / (x * x).sum())


def table(rows: list[dict[str, Any]]) -> str:
    """Return what each part took, and how it grew."""
    lines = [f"| {' | '.join(HEAD)} |", "| --- | --- |" + " ---: |" * (len(HEAD) - 2)]
    for name in KINDS:
        of = [row for row in rows if row["part"] == name]
        if not of:
            continue
        memory = [row["memory"] for row in of]
        last = of[-1]
        cells = [
            name, f"{memory[0]:.0f}, {memory[-1]:.0f}, {max(memory):.0f}", f"{growth(of, 'memory'):+.1f}",
            f"{last['own']:.0f}", f"{growth(of, 'own'):+.1f}", last["files"], f"{growth(of, 'files'):+.1f}",
            last["threads"], len({row["pid"] for row in of}) - 1,
        ]  # fmt: skip
        lines.append(f"| {' | '.join(map(str, cells))} |")
    stored = [row for row in rows if row["part"] == STORE]
    if stored:
        told = (
            f"{name} {stored[-1][name]}, at most {max(row[name] for row in stored)}" for name in ("active", "parts")
        )
        lines += ["", f"Parts of the store at the end: {'; '.join(told)}."]
    return "\n".join(lines)


def draw(rows: list[dict[str, Any]], folder: Path) -> None:
    """Draw the memory of each part over time as `soak-memory.svg`."""
    import matplotlib.pyplot as plt

    axes = plt.figure(figsize=(7, 4)).subplots()
    for name in KINDS:
        of = [(row["at"], row["memory"]) for row in rows if row["part"] == name]
        axes.plot(*np.array(of).T, label=name, linewidth=1)
    axes.set(xlabel="hours", ylabel="resident memory, MB", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    axes.figure.savefig(folder / "soak-memory.svg", bbox_inches="tight", metadata={"Date": None})


def soak(
    folder: Path, hours: float, rate: float, people_seconds: float, *, calm: bool
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run it, and return the samples and what came of it all."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    authority = Authority(folder / "authority")
    policy = folder / "policy.yaml"
    policy.write_text("extends: customer-support\n")
    own = {"tls_cert": folder / "us.pem", "tls_ca": authority.file}
    made, key = authority.signed("us")
    (folder / "us.pem").write_bytes(made.read_bytes() + key.read_bytes())
    up = Up(folder / "up.log", folder, own, WATCHKEEPER_POLICY=policy, WATCHKEEPER_CONTROL_KEY="of a soak")
    try:
        up.runs()
        load, samples = Load(up, authority, rate, people_seconds, calm), Samples(up)
        load.run(hours * 3_600, samples.look)
        end = time.monotonic() + 600
        while up.stored() < 0.6 * load.sent and time.monotonic() < end:  # three in ten events are steps
            time.sleep(2)
        up.runs()
        time.sleep(30)
        checked = subprocess.run(
            [sys.executable, "-m", "streams", "verify", "--kafka", up.settings.kafka, "--clickhouse",
             up.settings.clickhouse, "--json"],
            env=environment(up), capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        up.stop()
    return samples.rows, {
        "sent": load.sent,
        "done": load.done,
        "verify": checked.returncode,
        "said": checked.stdout[-2_000:],
    }


def environment(up: Up) -> dict[str, str]:
    """Return the variables under which a command reaches the installation."""
    return dict(os.environ) | up.settings.environment(type(up.settings).model_fields)


def main() -> None:
    """Run it, print the table, and end with 1 where log, rows and windows are not equal afterwards."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--rate", type=float, default=20.0, help="events a second")
    parser.add_argument("--people", type=float, default=20.0, help="seconds between two pages that somebody looks at")
    parser.add_argument("--calm", action="store_true", help="kill nobody")
    parser.add_argument("--folder", type=Path, default=Path("data/soak"))
    parser.add_argument("--pictures", type=Path)
    arguments = parser.parse_args()
    rows, outcome = soak(
        arguments.folder.resolve(), arguments.hours, arguments.rate, arguments.people, calm=arguments.calm
    )
    print(table(rows))
    print(json.dumps(outcome))
    if arguments.pictures:
        draw(rows, arguments.pictures)
    raise SystemExit(outcome["verify"])


if __name__ == "__main__":
    main()
