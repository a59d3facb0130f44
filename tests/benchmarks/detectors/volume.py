"""Silence and flood: delay, false alarms and cost, beside the usual rule of four standard deviations an hour.

The rule takes the mean and the standard deviation of 5-minute counts at the same hour of all days so far.
"""

import time

import numpy as np

from detectors.rates.detector import RateDetector
from detectors.volume.detector import VolumeWatch

DAY, MONDAY, PROMISE, SERIES = 1_440, 4 * 1_440, 1e6, 40


def traffic(rng, days, level, burst=1.0):
    """Return counts by minute of series with a daily cycle whose level swings by a quarter from day to day."""
    minutes = np.arange(days * DAY)
    swing = np.repeat(rng.uniform(0.75, 1.25, (days, SERIES)), DAY, axis=0)
    rate = level * (1 + 0.5 * np.sin(2 * np.pi * minutes / DAY))[:, None] * swing
    number = rng.poisson(rate / burst)
    more = rng.negative_binomial(np.maximum(number, 1), 1 / burst) * (number > 0) if burst > 1 else 0
    return (number + more).astype(float)


def rule(counts, first_day):
    """Return false alarms of the rule: transitions into |z| > 4 of a 5-minute count after the first days."""
    five = counts.reshape(-1, 24, 12, 5, counts.shape[1]).sum(axis=3)
    alarms = 0
    for day in range(first_day, len(five)):
        seen = five[:day].transpose(1, 0, 2, 3).reshape(24, -1, five.shape[3])
        z = (five[day] - seen.mean(axis=1)[:, None]) / np.maximum(seen.std(axis=1)[:, None], 1e-9)
        out = (np.abs(z) > 4).reshape(-1, five.shape[3])
        alarms += int((out[1:] & ~out[:-1]).sum())
    return alarms


def false_alarms(rng, what, level, burst=1.0, days=8):
    """Return a row on quiet traffic."""
    counts, watch = traffic(rng, days, level, burst), VolumeWatch()
    watch.grow(SERIES)
    found = [f for at, row in enumerate(counts) for f in watch.update(MONDAY + at, row, PROMISE)]
    alarms = sum(f.direction != "recovered" for f in found)
    judged = SERIES * (days - 1)
    promised = judged * DAY / PROMISE
    return {
        "what": f"false alarms, {what}",
        "reach": f"<= {promised:.1f} in {judged} series-days",
        "measured": f"{alarms} in {judged} series-days",
        "beside": f"4-sd rule: {rule(counts, 1)}",
    }


def delay(rng, level, share, burst=1.0, days=4):
    """Return a row on a change to a share of the traffic, at midnight after some days."""
    counts, watch = traffic(rng, days + 1, level, burst), VolumeWatch()
    watch.grow(SERIES)
    changed = days * DAY
    counts[changed:] = rng.binomial(counts[changed:].astype(int), share) if share < 1 else counts[changed:] * share
    first = np.full(SERIES, np.inf)
    for at, row in enumerate(counts[: changed + 720]):
        for found in watch.update(MONDAY + at, row, PROMISE):
            if at >= changed and found.direction != "recovered":
                first[found.series] = min(first[found.series], at - changed + 1)
    took, worst = np.median(first), np.quantile(first, 0.9)
    name = f"{level:g} events/min" + (f" in bursts of {burst:g}" if burst > 1 else "")
    ideal = np.log(PROMISE) / level
    beside = f"{ideal:.1f} min: ln A expected events (Lorden's asymptotic bound)" if share == 0 and burst == 1 else ""
    return {
        "what": f"delay, traffic x {share:g}, {name}",
        "reach": "half of the series within 12 h",
        "measured": f"{took:.0f} min median, {worst:.0f} min 90th percentile",
        "beside": beside,
    }


def cost(rng, series=5_000, minutes=60):
    """Return a row on cost once the warm-up is over, beside the rate detector on as many series."""
    counts = rng.poisson(3, (minutes, series)).astype(float)
    watch, rates = VolumeWatch(), RateDetector(60)
    watch.grow(series)
    for at in range(-DAY - 1, 0):
        watch.update(MONDAY + at, counts[at % minutes], PROMISE)
    rates.grow(np.full(series, 0.05))
    rows, taken = np.arange(series), []
    for update in (
        lambda at: watch.update(MONDAY + at, counts[at], PROMISE),
        lambda at: rates.update(MONDAY + at, rows, counts[at], np.minimum(counts[at], 0), PROMISE),
    ):
        began = time.perf_counter()
        for at in range(minutes):
            update(at)
        taken.append((time.perf_counter() - began) / minutes / series * 1e6)
    return {
        "what": f"cost, {series} series",
        "reach": "",
        "measured": f"{taken[0]:.2f} us/series-minute",
        "beside": f"rate detector: {taken[1]:.2f} us/series-tick, {taken[0] / taken[1]:.1f} x",
    }


def measure(seed: int = 1) -> list[dict[str, object]]:
    """Return what was measured."""
    rng = np.random.default_rng(seed)
    return [
        false_alarms(rng, "1 event/min", 1.0),
        false_alarms(rng, "30 events/min", 30.0),
        false_alarms(rng, "3 events/min in bursts of 10", 3.0, 10.0),
        delay(rng, 0.7, 0.0),
        delay(rng, 3.0, 0.0),
        delay(rng, 30.0, 0.0),
        delay(rng, 3.0, 0.0, 10.0),
        delay(rng, 3.0, 0.2),
        delay(rng, 3.0, 5.0),
        cost(rng),
    ]


if __name__ == "__main__":
    for line in measure():
        print(line)
