"""How the delay falls with the size of a change, from thin services to thick ones, with the bound drawn in.

python -m tests.benchmarks.weeks.curves [--seed 1] [--pictures FOLDER]

A week in which every service is alike but for its sessions and the size of its one change, a step that stays; many
services of each pair, so that medians mean something.
"""

import argparse
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Final

import numpy as np

from detectors.base import Floats
from tests.benchmarks.weeks.bound import bound, pooled_bound
from tests.benchmarks.weeks.judged import judged
from tests.benchmarks.weeks.plan import DAY, METRICS, WEEK, Change, Service
from tests.benchmarks.weeks.play import play
from tests.benchmarks.weeks.score import told

SESSIONS: Final = (60.0, 200.0, 600.0, 2_000.0)
FACTORS: Final = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
EACH: Final = 8
THIN, POOLS = 2, 2
"""How many of the sessions are shown together too, and how many pools of `EACH` there are of every pair."""

METRIC, RATE = "unsafe_attempted", 0.005
COLOURS: Final = ("#9ecae1", "#6baed6", "#3182bd", "#08306b")


def week() -> tuple[list[Service], list[Change]]:
    """Return the services and their changes, `EACH` of every pair of sessions and factor; none shares anything."""
    services, changes = [], []
    for sessions in SESSIONS:
        for factor in FACTORS:
            for number in range(EACH):
                name = f"{sessions:g}-{factor:g}-{number}"
                services.append(_service(name, sessions, f"{name}-"))
                changes.append(Change("step", name, METRIC, 3 * DAY + number * 720, WEEK, factor))
    return services, changes


def _service(name: str, sessions: float, family: str) -> Service:
    rates = {each: (low * high) ** 0.5 for each, (low, high) in METRICS.items()} | {METRIC: RATE}
    return Service(
        name, sessions, 2.5, 0.5, 0.6, 0.0, 0.15, 0.05, 4.0, 0.5, (1.0,), rates, None, None, family
    )  # fmt: skip


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
    return {"ours": _array(ours, 60, shape), "bound": _array(least, 360, shape)}


def measured_together(seed: int) -> dict[str, Floats]:
    """Return the same of `POOLS` times `EACH` thin services that share a version of a model, whose rate rises for all.

    Arrays have the shape (thin sessions, factors, pools of each).
    """
    rng, ours, least = np.random.default_rng([4, seed]), [], []
    pools = [(n, factor, at) for n in SESSIONS[:THIN] for factor in FACTORS for at in range(POOLS)]
    names = ["{:g}-{:g}-{}-".format(*pool) for pool in pools]
    services = [[_service(f"{name}{at}", pool[0], name) for at in range(EACH)]
                for pool, name in zip(pools, names, strict=True)]  # fmt: skip
    changes = [[Change("shared source", each.name, METRIC, 3 * DAY, WEEK, pool[1]) for each in of]
               for pool, of in zip(pools, services, strict=True)]  # fmt: skip
    played = [[play(rng, service, [change]) for service, change in zip(*each, strict=True)]
              for each in zip(services, changes, strict=True)]  # fmt: skip
    said = judged(list(chain(*services)), list(chain(*played)))
    promise = len(pools) * EACH * len(METRICS)
    for of, its, shown in zip(services, changes, played, strict=True):
        delays = [delay for change in its if (delay := told(change, said)[0]) is not None]
        ours.append(min(delays, default=None))
        least.append(pooled_bound(its, of, shown, promise))
    shape = THIN, len(FACTORS), POOLS
    return {"ours": _array(ours, 60, shape), "bound": _array(least, 360, shape)}


def _array(delays: Sequence[float | None], an_hour: int, shape: tuple[int, ...]) -> Floats:
    return np.array([np.inf if delay is None else delay / an_hour for delay in delays]).reshape(shape)


def table(found: dict[str, Floats]) -> str:
    """Return the medians in hours, ours / the bound; "not" where half were not found in the rest of the week."""
    lines = [f"| sessions a day | {' | '.join(f'x{factor:g}' for factor in FACTORS)} |",
             f"| ---: |{' --- |' * len(FACTORS)}"]  # fmt: skip
    for sessions, ours, least in zip(SESSIONS, *(_medians(found[name]) for name in ("ours", "bound")), strict=False):
        cells = (f"{_hours(mine)} / {_hours(best)}" for mine, best in zip(ours, least, strict=True))
        lines.append(f"| {sessions:,.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _medians(delays: Floats) -> Floats:
    return np.asarray(np.quantile(delays, 0.5, axis=2, method="higher"))


def _hours(delay: float) -> str:
    return f"{delay:.2g}" if np.isfinite(delay) else "not"


def draw(found: dict[str, Floats], together: dict[str, Floats], folder: Path) -> None:
    """Draw the curves as `delay-size.svg`."""
    import matplotlib.pyplot as plt

    axes = plt.figure(figsize=(7, 4)).subplots()
    for at, (sessions, colour) in enumerate(zip(SESSIONS, COLOURS, strict=True)):
        ours, least = _medians(found["ours"])[at], _medians(found["bound"])[at]
        axes.plot(FACTORS, ours, marker="o", color=colour, label=f"{sessions:,.0f} sessions a day")
        axes.plot(FACTORS, least, linestyle="--", linewidth=1, color=colour)
    for at, colour in enumerate(COLOURS[:THIN]):
        label = f"{EACH} of {SESSIONS[at]:,.0f} together"
        axes.plot(FACTORS, _medians(together["ours"])[at], marker="s", linestyle=":", color=colour, label=label)
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
    shared = measured_together(arguments.seed)
    print(table(result))
    print(f"{EACH} services that share a version of a model\n{table(shared)}")
    if arguments.pictures:
        draw(result, shared, arguments.pictures)
