"""Rates: the fleet week, the promise, season and bursts, and the cost, through `RateDetector` itself."""

import time
from typing import TYPE_CHECKING

import numpy as np
from river import drift

from detectors.budget import threshold
from detectors.rates.detector import RateDetector
from detectors.rates.likelihood import MULTIPLIERS, STAKES, log_likelihood_ratios, shiryaev_roberts

if TYPE_CHECKING:
    from collections.abc import Callable

DAY = 1_440
SERIES = 5_000
START = 29_500_000
"""A minute of our days, a Monday's."""
YOUNG, TICKS_OF_A_DAY = 1_500, 288


class Fleet:
    """Many series with rates between .001 and .05, traffic around 20 sessions a minute, and a month of history."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rate = np.exp(self.rng.uniform(np.log(0.001), np.log(0.05), SERIES))
        self.traffic = np.exp(self.rng.normal(np.log(20), 1.3, SERIES))
        self.rows = np.arange(SERIES)
        self.detector = RateDetector(60)
        self.detector.grow(np.full(SERIES, 0.02))
        trials = np.round(self.traffic * 28 * DAY)
        flagged = self.rng.binomial(trials.astype(int), self.rate).astype(float)
        baseline = self.detector.baseline
        baseline.learn(self.rows, START - 1, trials, flagged)
        baseline.begun[:] = START - 28 * DAY
        for hour in range(168):  # the month lies evenly over the hours of the week
            baseline.learn_hours(self.rows, START - 1, np.full(SERIES, hour), trials / 168, flagged / 168)

    def week(self, changed_at: np.ndarray, factor: np.ndarray, naive: "Naive | None") -> tuple[np.ndarray, int]:
        """Return the minute in which each series first alarmed after its change, and the false alarms before it."""
        limit = threshold(SERIES, DAY, 1.0)
        found, false = np.full(SERIES, -1), 0
        for minute in range(7 * DAY):
            n = self.rng.poisson(self.traffic)
            k = self.rng.binomial(n, np.where(minute >= changed_at, np.minimum(self.rate * factor, 0.9), self.rate))
            if naive is not None:
                naive.take(minute, n, k, self.rate)
            alarms = self.detector.update(START + minute, self.rows, n.astype(float), k.astype(float), limit).alarms
            for alarm in alarms:
                if minute >= changed_at[alarm.series]:
                    found[alarm.series] = minute if found[alarm.series] < 0 else found[alarm.series]
                else:
                    false += 1
        return found, false


class Naive:
    """The rule of many dashboards: the rate of five minutes over twice the baseline, three flagged, then half an hour's rest."""

    def __init__(self) -> None:
        self.n, self.k = np.zeros((5, SERIES)), np.zeros((5, SERIES))
        self.rest, self.alarms = np.zeros(SERIES), 0

    def take(self, minute: int, n: np.ndarray, k: np.ndarray, rate: np.ndarray) -> None:
        """Count a minute of a week without any change."""
        self.n[minute % 5], self.k[minute % 5] = n, k
        fires = (self.k.sum(0) >= 3) & (self.k.sum(0) > 2 * rate * self.n.sum(0)) & (self.rest <= minute)
        self.rest[fires] = minute + 30
        self.alarms += int(fires.sum())


def fleet_week(seed: int) -> list[dict[str, object]]:
    """Return the rows of the fleet: a week without change, and one with 300 changes."""
    naive, quiet = Naive(), np.full(SERIES, 10**9)
    _, false = Fleet(seed).week(quiet, np.ones(SERIES), naive)
    fleet = Fleet(seed + 1)
    at, factor = quiet.copy(), np.ones(SERIES)
    chosen = fleet.rng.permutation(SERIES)[:300]
    at[chosen], factor[chosen] = fleet.rng.integers(DAY, 6 * DAY, 300), np.repeat([2, 3, 5], 100)
    found, _ = fleet.week(at, factor, None)
    rows: list[dict[str, object]] = [
        {
            "what": "fleet week without change, 5,000 series, budget one false page a day",
            "reach": "<= 1 a day",
            "measured": f"{false / 7:.2f} a day",
            "beside": f"5-minute rate over twice the baseline: {naive.alarms / 7:,.0f} a day",
        }
    ]
    events = (found - at + 1) * fleet.traffic * fleet.rate * factor
    for times, most in ((2, 65), (3, 40), (5, 20)):
        of = chosen[factor[chosen] == times]
        hit = of[found[of] >= 0]
        rows.append(
            {
                "what": f"same fleet, rates x{times}: found; flagged events until then (median)",
                "reach": f"{'>= 95 %; ' if times == 2 else ''}<= {most}",
                "measured": f"{len(hit) / len(of):.0%}; {np.median(events[hit]):.0f}",
                "beside": "",
            }
        )
    return rows


def promise(seed: int) -> list[dict[str, object]]:
    """Return run lengths to a false alarm over what is promised, and those of River's detectors."""
    rng, rows = np.random.default_rng(seed), []
    for p in (0.002, 0.01, 0.05):
        kept = [f"{_run_length(rng, p, limit) / limit:.2f}" for limit in (1e4, 1e5, 1e6)]
        rows.append(
            {
                "what": f"run length / A at a rate of {p:g}, A = 1e4, 1e5, 1e6",
                "reach": "1 to 1.6",
                "measured": ", ".join(kept),
                "beside": ", ".join(_rivers(rng, p)),
            }
        )
    return rows


def cold_start(seed: int) -> list[dict[str, object]]:
    """Return the false alarms of series that begin with nothing but the prior, over those that are allowed."""
    rows = []
    for what, season, noise in (("", 0.0, 0.0), (", a rhythm of 30 % and rates that wander by 8 %", 0.3, 0.08)):
        false = _young_series(np.random.default_rng(seed), season, noise)
        allowed = YOUNG * 14 * TICKS_OF_A_DAY / 1e5
        rows.append(
            {
                "what": f"{YOUNG:,} series of .03 to 2 % from a prior of 5 %, that learn, judge and listen to their fleet at once for 14 days{what}",
                "reach": "<= 1 of what is allowed",
                "measured": f"{false / allowed:.2f} ({false} of {allowed:.0f})",
                "beside": "",
            }
        )
    return rows


def _young_series(rng: np.random.Generator, season: float, noise: float) -> int:
    rate = np.exp(rng.uniform(np.log(0.0003), np.log(0.02), YOUNG))
    traffic = np.exp(rng.uniform(np.log(100), np.log(6_000), YOUNG)) / TICKS_OF_A_DAY
    seconds = 86_400 // TICKS_OF_A_DAY
    detector, rows, wander = RateDetector(seconds), np.arange(YOUNG), np.zeros(YOUNG)
    detector.grow(np.full(YOUNG, 0.05))
    false, start = 0, START * 60 // seconds
    for tick in range(14 * TICKS_OF_A_DAY):
        if tick % (TICKS_OF_A_DAY // 4) == 0:
            detector.baseline.learn_fleet(rows, rows, start + tick)
        if noise and tick % 12 == 0:
            wander = 0.9 * wander + rng.normal(0, noise, YOUNG)
        now = rate * (1 + season * np.sin(2 * np.pi * tick / TICKS_OF_A_DAY)) * np.exp(wander)
        n = rng.poisson(traffic)
        k, some = rng.binomial(n, np.minimum(now, 0.9)), n > 0
        false += len(detector.update(start + tick, rows[some], n[some] * 1.0, k[some] * 1.0, 1e5).alarms)
    return false


def _run_length(rng: np.random.Generator, p: float, limit: float) -> float:
    """Return the mean number of trials to a false alarm, one trial a tick; runs of nothing flagged in closed form.

    Each of 60 series alarms about fifteen times, so that the run that is not over when it ends hardly counts.
    """
    series = 60
    evidence, trials, alarms = np.zeros((series, len(MULTIPLIERS))), 0.0, 0
    one, bound = np.ones(series), np.full(series, p)
    nothing = log_likelihood_ratios(one, np.zeros(series), bound)
    flagged = log_likelihood_ratios(one, one, bound)
    ratio = np.exp(nothing)
    while alarms < 15 * series:
        gap = rng.geometric(p, series) - 1
        shrink = np.exp(gap[:, None] * nothing)
        evidence = evidence * shrink + STAKES * ratio * (1 - shrink) / (
            1 - ratio
        )  # M <- (s + M) L, as often as the gap is long
        evidence = shiryaev_roberts(evidence, flagged, STAKES)
        trials += float(gap.sum() + series)
        over = evidence.mean(axis=1) >= limit
        alarms += int(over.sum())
        evidence[over] = 0
    return trials / alarms


def _rivers(rng: np.random.Generator, p: float) -> list[str]:
    """Return the run lengths of some of River's detectors on the same kind of stream."""
    made: dict[str, tuple[Callable[[], object], int]] = {
        "ADWIN": (drift.ADWIN, 400_000),
        "PageHinkley": (lambda: drift.PageHinkley(delta=0.005, threshold=10, mode="up"), 400_000),
        "KSWIN": (lambda: drift.KSWIN(seed=1), 4_000),
    }
    found = []
    for name, (make, length) in made.items():
        detector, alarms = make(), 0
        for value in (rng.random(length) < p).astype(float).tolist():
            detector.update(value)  # type: ignore[attr-defined]
            alarms += bool(detector.drift_detected)  # type: ignore[attr-defined]
        found.append(f"{name} {length / alarms:,.0f}" if alarms else f"{name} > {length:,}")
    return found


def season_and_bursts(seed: int) -> list[dict[str, object]]:
    """Return false alarms a thousand series-days where rates have a season, sessions have sizes, and rates wander."""
    return [
        {
            "what": f"false alarms per 1,000 series-days: {what}",
            "reach": "<= 1",
            "measured": f"{_seasonal(seed, **how):.2f}",
            "beside": "promise 0.71" if index == 0 else "",
        }
        for index, (what, how) in enumerate(
            (
                ("day cycle of 50 %, week-ends less by a fifth", {}),
                ("the same, and the level walks 3 % a day", {"walk": 0.03}),
                ("the same, sessions of random size counted once", {"walk": 0.03, "sessions": True}),
                ("the same, and minutes follow each other (AR .5, 10 %)", {"walk": 0.03, "wander": 0.1}),
            )
        )
    ]


def _seasonal(seed: int, walk: float = 0.0, wander: float = 0.0, *, sessions: bool = False) -> float:
    series, rng = 300, np.random.default_rng(seed)
    detector, rows = RateDetector(60), np.arange(300)
    detector.grow(np.full(series, 0.02))
    level, shift, false = np.zeros(series), np.zeros(series), 0
    limit = 14 * DAY * 100.0
    for minute in range(28 * DAY):
        if minute % DAY == 0:
            level = 0.9 * level + rng.normal(0, walk, series)
        if wander:
            shift = 0.5 * shift + rng.normal(0, wander * 0.75**0.5, series)
        phase = 2 * np.pi * (minute % DAY) / DAY
        weekend = 0.8 if (START + minute) // DAY % 7 in (2, 3) else 1.0
        p = 0.01 * (1 + 0.5 * np.sin(phase - 1.9)) * weekend * np.exp(level + shift)
        n = rng.poisson(60 * (1 + 0.6 * np.sin(phase - 1.6)), series)
        if sessions:  # of three events on average, flagged all together: what counts is the sessions
            n = np.ceil(n / 3).astype(int)
        k = rng.binomial(n, np.clip(p, 0, 0.5))
        promise = np.inf if minute < 14 * DAY else limit
        false += len(detector.update(START + minute, rows, n.astype(float), k.astype(float), promise).alarms)
    return false / series / 14 * 1_000


def cost(seed: int) -> list[dict[str, object]]:
    """Return what a tick of the fleet costs, and River's detectors beside it."""
    fleet, times = Fleet(seed), []
    rng = fleet.rng
    for minute in range(60):
        which = rng.integers(0, SERIES, 50_000)
        hit = rng.random(50_000) < 0.01
        began = time.perf_counter()
        n, k = np.bincount(which, minlength=SERIES), np.bincount(which, hit, SERIES)
        counted = time.perf_counter()
        fleet.detector.update(START + minute, fleet.rows, n.astype(float), k, 1e9)
        times.append((time.perf_counter() - began, time.perf_counter() - counted))
    whole, tick = np.median(np.array(times[10:]), axis=0)
    size = sum(array.nbytes for array in fleet.detector.state().values()) / SERIES
    adwin, kswin = _per_update(drift.ADWIN(), 50_000, rng), _per_update(drift.KSWIN(seed=1), 2_000, rng)
    return [
        {
            "what": "cost of a rate series, 50,000 events in 5,000 series (counting and test)",
            "reach": "<= .05 us an event",
            "measured": f"{whole / 50_000 * 1e6:.3f} us an event, {size:,.0f} bytes a series",
            "beside": f"River ADWIN {adwin:.2f} us ({adwin / (whole / 50_000 * 1e6):.0f} x), KSWIN {kswin:.0f} us",
        },
        {"what": "a tick of 5,000 series", "reach": "<= 5 ms", "measured": f"{tick * 1e3:.1f} ms", "beside": ""},
    ]


def _per_update(detector: object, length: int, rng: np.random.Generator) -> float:
    values = (rng.random(length) < 0.01).astype(float).tolist()
    began = time.perf_counter()
    for value in values:
        detector.update(value)  # type: ignore[attr-defined]
    return (time.perf_counter() - began) / length * 1e6


def measure(seed: int = 1) -> list[dict[str, object]]:
    """Return the rows of the table."""
    return [*fleet_week(seed), *promise(seed), *cold_start(seed), *season_and_bursts(seed), *cost(seed)]


if __name__ == "__main__":
    for part in (cost, promise, cold_start, fleet_week, season_and_bursts):
        began = time.perf_counter()
        for row in part(1):
            print(row)
        print(f"{part.__name__}: {time.perf_counter() - began:.0f} s", flush=True)
