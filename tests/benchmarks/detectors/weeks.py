"""Composed weeks, beside the best that can be done and what users would take instead.

python -m tests.benchmarks.detectors.weeks [--weeks 50] [--purpose tuning] [--processes 2] [--json weeks.json]
"""

import argparse
import gc
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from detectors.compiled import kernels
from tests.benchmarks.weeks.report import rows_of
from tests.benchmarks.weeks.score import scored

WEEKS: Final = 50


def weeks_of(purpose: str, first: int, count: int, processes: int) -> list[dict[str, object]]:
    """Return some weeks, scored by as many processes."""
    numbers = range(first, first + count)
    if processes == 1:
        begin()
        return [scored(purpose, number) for number in numbers]
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=begin) as pool:
        return list(pool.map(partial(scored, purpose), numbers))


def begin() -> None:
    """Compile, and let nobody look for cycles among the millions of sums of a week: there are none."""
    kernels.load()
    gc.disable()


def measure(seed: int = 1, weeks: int = WEEKS) -> list[dict[str, str]]:
    """Return the rows of the table, of weeks that nothing was tuned with."""
    return rows_of(weeks_of("report", seed * 1_000, weeks, 2))


def main() -> None:
    """Score weeks, print their rows, and keep each change for a closer look."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weeks", type=int, default=50)
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--purpose", choices=("tuning", "report"), default="report")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    weeks = weeks_of(arguments.purpose, arguments.first, arguments.weeks, arguments.processes)
    for row in rows_of(weeks):
        print(f"{row['what']}\n    {row['measured']}   [{row['reach']}]\n    {row['beside']}")
    if arguments.json:
        arguments.json.write_text(json.dumps(weeks, indent=1) + "\n")


if __name__ == "__main__":
    main()
