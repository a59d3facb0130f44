"""What a monitor is asked first, measured together and written into docs/figures.md: how soon, how sure, how whole.

    make figures        # or: python -m tests.benchmarks.figures --rate 5000 --seconds 20 --disturbances 60

Event to page and to row, the delay of detection at the promised budget, what is lost while workers and brokers die, the
longest wait across a kill, and throughput, each as the benchmark of its own measures it.
"""

import argparse
import os
import tempfile
from pathlib import Path

from tests.benchmarks.bench_latency import measure, quantiles
from tests.benchmarks.bench_pipeline import Bench
from tests.benchmarks.detectors.rates import fleet_week
from tests.faults.campaign import Campaign

PAGE = Path(__file__).parents[2] / "docs/figures.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
READERS = ("history worker", "watch worker", "idiomatic Faust")


def latency(rate: int, seconds: float) -> list[tuple[str, str]]:
    """Return how long events wait for a finding and a row, also while the workers are killed."""
    calm, killed = measure(rate, seconds), measure(rate, seconds, kill=True)
    lines = [(f"{name}, {rate:,} events a second", quantiles(delays)) for name, delays in calm.items()]
    longest = ", ".join(f"{name} {delays.max():.1f} s" for name, delays in killed.items())
    return [*lines, ("recovery: the longest wait with watch and history killed in the middle; none lost", longest)]


def detection(seed: int) -> list[tuple[str, str]]:
    """Return false pages and the delay of detection of a fleet over a week, at the promised budget."""
    return [(str(row["what"]), str(row["measured"])) for row in fleet_week(seed)]


def failure(disturbances: int, seconds: float, events: int) -> list[tuple[str, str]]:
    """Return what was compared after a campaign; one that finds a loss or a double ends with an error."""
    with tempfile.TemporaryDirectory() as folder:
        report = Campaign(Path(folder), disturbances, seconds, events, seed=1).run()
    done = sum(report["disturbances"].values())
    compared = f"{report['rows']:,} rows, {report['minutes']:,} minutes, {report['incidents']} incidents"
    return [(f"lost or doubled under {done} kills, freezes, cuts and rebalances", f"none of {compared}")]


def throughput(events: int) -> list[tuple[str, str]]:
    """Return events a second of the two workers that read events, and their ratio to idiomatic Faust."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), events)
        bench.run(1, list(READERS))
    found = bench.results
    peers = {"history worker": "idiomatic Faust, same sums and rows", "watch worker": "idiomatic Faust, same sums"}
    return [
        (
            f"{name}, events a second",
            f"{found[name].rate:,.0f}, {found[name].rate / found[peer].rate:.1f} x idiomatic Faust",
        )
        for name, peer in peers.items()
    ]


def page(lines: list[tuple[str, str]], busy: float) -> None:
    """Write the figures between their marks."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    table = "\n".join(["| what | measured |", "| --- | --- |", *(f"| {what} | {found} |" for what, found in lines)])
    told = f"{os.cpu_count()} cores, on which {busy:.0f} processes waited for their turn at the end."
    PAGE.write_text(f"{before}{BEGIN}\n{told}\n\n{table}\n{END}{after}")


def main() -> None:
    """Measure all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--disturbances", type=int, default=60)
    parser.add_argument("--campaign-seconds", type=float, default=240)
    parser.add_argument("--campaign-events", type=int, default=15_000)
    parser.add_argument("--events", type=int, default=200_000)
    chosen = parser.parse_args()
    lines = latency(chosen.rate, chosen.seconds)
    lines += detection(1)
    lines += failure(chosen.disturbances, chosen.campaign_seconds, chosen.campaign_events)
    lines += throughput(chosen.events)
    page(lines, os.getloadavg()[0])
    print(PAGE.read_text().partition(BEGIN)[2].partition(END)[0])


if __name__ == "__main__":
    main()
