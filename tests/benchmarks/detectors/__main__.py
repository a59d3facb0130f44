"""All benchmarks of the detectors, one after the other: what was to be reached, what was measured, and what beside it.

python -m tests.benchmarks.detectors [--only NAME] [--nab PATH] [--weeks 50] [--json bench-detectors.json]
"""

import argparse
import importlib
import importlib.metadata
import json
import pkgutil
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

import tests.benchmarks.detectors as package
from tests.benchmarks.detectors.weeks import WEEKS

COLUMNS = ("what", "reach", "measured", "beside")


def main() -> None:
    """Run them, print one table, and write the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--nab", type=Path)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    parser.add_argument("--json", type=Path, default=Path("bench-detectors.json"))
    arguments = parser.parse_args()
    names = [module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")]
    console, rows, seconds = Console(width=170), [], {}
    for name in sorted(names):
        if arguments.only not in name:
            continue
        module = importlib.import_module(f"{package.__name__}.{name}")
        began = time.perf_counter()
        found = module.measure(arguments.seed, *{"nab": [arguments.nab], "weeks": [arguments.weeks]}.get(name, []))
        seconds[name] = round(time.perf_counter() - began, 1)
        rows += [{"benchmark": name, **row} for row in found]
        console.print(f"{name}: {seconds[name]} s")
    table = Table(*COLUMNS, title="Detectors")
    for row in rows:
        table.add_row(*(str(row[column]) for column in COLUMNS))
    console.print(table)
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "river", "scipy")}
    report = {"seed": arguments.seed, "versions": versions, "seconds": seconds, "rows": rows}
    arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
