"""How the delay falls with the size of a change, from thin services to thick ones, with the bound drawn in.

python -m tests.benchmarks.weeks.curves [--seed 1] [--pictures FOLDER]

A week in which every service is alike but for its sessions and the size of its one change, a step that stays; many
services of each pair, so that medians mean something.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np

from detectors.base import Floats
from tests.benchmarks.weeks.bound import bound
from tests.benchmarks.weeks.judged import judged
from tests.benchmarks.weeks.plan import DAY, METRICS, WEEK, Change, Service
from tests.benchmarks.weeks.play import play
from tests.benchmarks.weeks.score import told

SESSIONS: Final = (60.0, 200.0, 600.0, 2_000.0)
FACTORS: Final = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
EACH: Final = 8
METRIC, RATE = "unsafe_attempted", 0.005
COLOURS: Final = ("#9ecae1", "#6baed6", "#3182bd", "#08306b")


def week() -> tuple[list[Service], list[Change]]:
    """Return the services and their changes, `EACH` of every pair of sessions and factor."""
    services, changes = [], []
    for sessions in SESSIONS:
        for factor in FACTORS:
            for number in range(EACH):
                name = f"{sessions:g}-{factor:g}-{number}"
                rates = {each: (low * high) ** 0.5 for each, (low, high) in METRICS.items()} | {METRIC: RATE}
                services.append(
                    Service(name, sessions, 2.5, 0.5, 0.6, 0.0, 0.15, 0.05, 4.0, 0.5, (1.0,), rates, None, None)
                )
                changes.append(Change("step", name, METRIC, 3 * DAY + number * 720, WEEK, factor))
    return services, changes


def measured(seed: int) -> dict[str, Floats]:
    """Return the hours after which each change was told of, and the bound; infinite where it was not.

    Arrays have the shape (sessions, factors, services of each).
    """
    rng = np.random.default_rng([3, seed])
    services, changes = week()
    played = [play(rng, service, [change]) for service, change in zip(services, changes, strict=True)]
    said = judged(services, played)
    promise = len(services) * len(METRICS)
    ours = [told(change, said)[0] for change in changes]
    least = [bound(*each, promise) for each in zip(changes, services, played, strict=True)]
    shape = len(SESSIONS), len(FACTORS), EACH
    return {
        "ours": np.array([np.inf if minutes is None else minutes / 60 for minutes in ours]).reshape(shape),
        "bound": np.array([np.inf if ticks is None else ticks / 360 for ticks in least]).reshape(shape),
    }


def table(found: dict[str, Floats]) -> str:
    """Return the medians in hours, ours / the bound; "not" where half were not found in the rest of the week."""
    lines = [f"| sessions a day | {' | '.join(f'x{factor:g}' for factor in FACTORS)} |",
             f"| ---: |{' --- |' * len(FACTORS)}"]  # fmt: skip
    for sessions, ours, least in zip(SESSIONS, *(_medians(found[name]) for name in ("ours", "bound")), strict=True):
        cells = (f"{_hours(mine)} / {_hours(best)}" for mine, best in zip(ours, least, strict=True))
        lines.append(f"| {sessions:,.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _medians(delays: Floats) -> Floats:
    return np.asarray(np.quantile(delays, 0.5, axis=2, method="higher"))


def _hours(delay: float) -> str:
    return f"{delay:.2g}" if np.isfinite(delay) else "not"


def draw(found: dict[str, Floats], folder: Path) -> None:
    """Draw the curves as `delay-size.svg`."""
    import matplotlib.pyplot as plt

    axes = plt.figure(figsize=(7, 4)).subplots()
    for at, (sessions, colour) in enumerate(zip(SESSIONS, COLOURS, strict=True)):
        ours, least = _medians(found["ours"])[at], _medians(found["bound"])[at]
        axes.plot(FACTORS, ours, marker="o", color=colour, label=f"{sessions:,.0f} sessions a day")
        axes.plot(FACTORS, least, linestyle="--", linewidth=1, color=colour)
    axes.plot([], [], linestyle="--", linewidth=1, color="#555", label="the bound")
    axes.set(xscale="log", yscale="log", xlabel="rate after / rate before", ylabel="hours to a finding, median",
             title=f"A step of a rate of {RATE:.1%}, one false page a day for {len(SESSIONS) * len(FACTORS) * EACH} services")  # fmt: skip
    axes.set_xticks(FACTORS, [f"{factor:g}" for factor in FACTORS], minor=False)
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    axes.figure.savefig(folder / "delay-size.svg", bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures", type=Path, help="the folder in which they are drawn")
    arguments = parser.parse_args()
    result = measured(arguments.seed)
    print(table(result))
    if arguments.pictures:
        draw(result, arguments.pictures)
