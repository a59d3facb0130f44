"""What a composed week is made of: its services, what changes in them, and what is harmless."""

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

TICK_SECONDS: Final = 10
DAY: Final = 8_640
WEEK: Final = 7 * DAY
START: Final = 170_043_840
"""A Monday at midnight, in ticks since the Unix epoch."""

METRICS: Final = {
    "unsafe_attempted": (0.001, 0.01),
    "unsafe_served": (0.0003, 0.004),
    "injection_flag": (0.003, 0.06),
    "leak": (0.0005, 0.008),
    "refusal": (0.01, 0.08),
    "error": (0.002, 0.03),
    "denied_tool": (0.0003, 0.01),
    "guard_failure": (0.0005, 0.02),
    "failing_tool": (0.005, 0.08),
    "blocked": (0.003, 0.06),
}
"""The rates that a week has, and between what they lie."""

FALLING: Final = ("unsafe_attempted", "injection_flag", "refusal", "blocked")
OF_TOOLS: Final = ("denied_tool", "failing_tool")
RARE: Final = ("denied_tool", "unsafe_served", "leak", "guard_failure")

Kind = Literal[
    "step", "ramp", "spike", "vanish", "total", "rare", "version", "tenant", "tool",
    "shared model", "shared source", "shared ramp", "cascade",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = ("step", "ramp", "spike", "vanish", "total", "rare", "version", "tenant", "tool")
"""Changes of one service; those that services share are in `tests.benchmarks.weeks.shared`."""

SEEDS: Final = {"tuning": 1, "report": 2}
"""Weeks to tune with, and weeks to report; none is in both."""


@dataclass(frozen=True)
class Service:
    """How a service behaves while nothing is wrong.

    `swing` and `weekend` are of its traffic, `season` and `noise` of its rates: the amplitude of their day, and the
    spread from hour to hour, which all tenants share. `shape` is that of the Gamma spread over sessions.
    """

    name: str
    sessions: float
    turns: float
    swing: float
    weekend: float
    phase: float
    season: float
    noise: float
    shape: float
    tools: float
    tenants: tuple[float, ...]
    rates: dict[str, float]
    release: tuple[int, int] | None
    """When a new version takes its first sessions and when it has all; from the first tick on there are two if None."""
    fault: tuple[int, int, float] | None
    """Telemetry that is lost: from one tick to another, and the share."""
    family: str = ""
    """Before the names of its versions: services of one family have their models in common."""
    source: str = ""
    """What it reads from, and others with it."""


@dataclass(frozen=True)
class Change:
    """Something that goes wrong: a rate of a part of a service is `factor` times as high, or `rate` itself."""

    kind: Kind
    service: str
    metric: str
    start: int
    end: int
    factor: float
    rate: float | None = None
    part: int = 0
    """Which version or tenant, or which tool, where only that one is concerned."""

    @property
    def of(self) -> str:
        """What it concerns a part of: `version`, `tenant`, `tool`, or nothing."""
        return "version" if self.kind == "shared model" else self.kind

    @property
    def grows(self) -> bool:
        """Whether it comes slowly."""
        return self.kind in ("ramp", "shared ramp")


@dataclass(frozen=True)
class Plan:
    """A week to be played."""

    services: list[Service]
    changes: list[Change] = field(default_factory=list)


def drawn(purpose: str, number: int) -> tuple[Plan, np.random.Generator]:
    """Return a plan and the generator that is to play it; the same for the same purpose and number."""
    rng = np.random.default_rng([SEEDS[purpose], number])
    count = int(np.exp(rng.uniform(np.log(5), np.log(200.5))))
    services = [_service(rng, f"service-{at:03}", count) for at in range(count)]
    changing = rng.permutation(count)[: max(3, round(count * 0.8))]
    return Plan([*services], [_change(rng, services[at]) for at in sorted(changing.tolist())]), rng


def _service(rng: np.random.Generator, name: str, count: int) -> Service:
    """Draw a service; one of a large fleet is smaller, so that a week stays a matter of seconds."""
    tenants = rng.dirichlet(np.full(int(rng.integers(1, 5)), 2.0))
    begin = int(rng.integers(DAY, 6 * DAY))
    lost = int(rng.integers(DAY, 6 * DAY))
    most = 2_500 if count <= 40 else 400
    return Service(
        name, float(np.exp(rng.uniform(np.log(60), np.log(most)))), float(rng.uniform(1.5, 5)),
        float(rng.uniform(0, 0.9)), float(rng.uniform(0.2, 1)), float(rng.uniform(0, 2 * np.pi)),
        float(rng.uniform(0, 0.3)), float(rng.uniform(0, 0.1)), float(rng.uniform(1.5, 8)), float(rng.uniform(0.2, 1)),
        tuple(tenants.tolist()),
        {name: float(np.exp(rng.uniform(*np.log(span)))) for name, span in METRICS.items()},
        (begin, begin + int(rng.integers(360, DAY))) if rng.random() < 0.3 else None,
        (lost, lost + int(rng.integers(360, 4 * 360)), float(rng.choice([0.5, 1.0]))) if rng.random() < 0.1 else None,
    )  # fmt: skip


def _change(rng: np.random.Generator, service: Service) -> Change:
    kind = KINDS[int(rng.integers(len(KINDS)))]
    names = {"vanish": FALLING, "tool": OF_TOOLS, "rare": RARE}.get(kind, tuple(METRICS))
    metric = str(rng.choice(names))
    start = int(rng.integers(2 * DAY, 6 * DAY))
    if kind == "version" and service.release:
        start = service.release[0]
    hours = float(rng.uniform(0.5, 2) if kind in ("spike", "total") else rng.uniform(8, 48))
    end = min(start + round(hours * 360), WEEK)
    factor, rate = float(np.exp(rng.uniform(np.log(1.5), np.log(10)))), None
    if kind == "spike":
        factor *= 3
    elif kind == "vanish":
        factor = float(rng.uniform(0, 0.3))
    elif kind == "total":
        factor, rate = 1.0, float(rng.uniform(0.7, 0.98))
    elif kind == "rare":
        service.rates[metric] = float(np.exp(rng.uniform(*np.log([0.0002, 0.001]))))
        factor *= 10
    part = int(rng.integers(len(service.tenants))) if kind == "tenant" else 1
    return Change(kind, service.name, metric, start, end, factor, rate, part)
