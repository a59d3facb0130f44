"""Quantities and mixes: run length to a false alarm, events to a shift, with and without dependence."""

import time

import numpy as np
from river import drift
from scipy.signal import lfilter

from detectors.distributions.mixes import MixDetector
from detectors.distributions.quantities import QuantityDetector

PER_TICK = 10
BINS = 160
LEARNED = 26_000
"""Three days of ticks."""
LATENCY = (np.log(800.0), 0.6)
"""Logarithmic mean and spread of a latency in milliseconds."""

MIX = np.array([0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.04, 0.03, 0.02, 0.01, 0.0095, 0.0005])


class Latencies:
    """Series of latencies, ten an interval, correlated from event to event by `rho`."""

    def __init__(self, series: int, seed: int, rho: float = 0.0) -> None:
        self.rng, self.rho, self.last = np.random.default_rng(seed), rho, np.zeros(series)
        self.series = series

    def bins(self, factor: float = 1.0):
        """Return the cells (series, bins, counts) of a tick."""
        noise = self.rng.normal(0, (1 - self.rho**2) ** 0.5, (self.series, PER_TICK))
        z, _ = lfilter([1], [1, -self.rho], noise, axis=1, zi=(self.rho * self.last)[:, None])
        self.last = z[:, -1]
        value = np.exp(LATENCY[0] + LATENCY[1] * z) * factor
        at = np.clip(np.floor(8 * np.log2(np.maximum(value, 1))), 0, BINS - 1).astype(np.int64)
        pairs, counts = np.unique(np.arange(self.series)[:, None] * BINS + at, return_counts=True)
        return pairs // BINS, pairs % BINS, counts.astype(float)


def run_length(series, ticks, promise, rho, seed):
    """Return false alarms and series-ticks watched, after three days of learning."""
    detector, source = QuantityDetector(10, BINS), Latencies(series, seed, rho)
    detector.grow(series)
    alarms = 0
    for tick in range(LEARNED + ticks):
        found = detector.update(tick, *source.bins(), 1e12 if tick < LEARNED else promise)
        for shift in found:
            alarms += not shift.back
            detector._begin_anew(shift.series)
    return alarms, series * ticks


def delay(factor, promise, seed, series=40, learned=LEARNED):
    """Return the median number of events to an alarm after the latency was multiplied."""
    detector, source = QuantityDetector(10, BINS), Latencies(series, seed)
    detector.grow(series)
    for tick in range(learned):
        detector.update(tick, *source.bins(), 1e12)
    first = np.full(series, np.nan)
    for tick in range(learned, learned + 400):
        for shift in detector.update(tick, *source.bins(factor), promise):
            if np.isnan(first[shift.series]):
                first[shift.series] = (tick - learned + 1) * PER_TICK
        if not np.isnan(first).any():
            break
    return float(np.nanmedian(first)), float(np.isnan(first).mean())


def adwin_delay(factor, seed, runs=20, learned=20_000):
    """Return the median number of events until River's ADWIN sees the same shift of the logarithm."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(runs):
        detector = drift.ADWIN()
        for value in rng.normal(0, LATENCY[1], learned):
            detector.update(value)
        for event, value in enumerate(rng.normal(np.log(factor), LATENCY[1], 4_000), 1):
            detector.update(value)
            if detector.drift_detected:
                found.append(event)
                break
    return float(np.median(found))


def mix_delay(slot, times, promise, seed, series=40, learned=LEARNED):
    """Return the median number of events to an alarm after one share was multiplied, and the false alarms before."""
    shares = MIX / MIX.sum()
    changed = shares.copy()
    changed[slot] *= times
    others = np.arange(len(shares)) != slot
    changed[others] *= (1 - changed[slot]) / changed[others].sum()
    rng, detector = np.random.default_rng(seed), MixDetector(10, len(shares) + 1)
    detector.grow(series)
    for row in range(series):
        for used in range(1, len(shares) + 1):
            detector.use(row, used)
    first, false = np.full(series, np.nan), 0
    for tick in range(learned + 600):
        table = rng.multinomial(PER_TICK, shares if tick < learned else changed, series)
        rows, slots = np.nonzero(table)
        for swing in detector.update(tick, rows, slots + 1, table[rows, slots].astype(float), promise):
            if tick < learned:
                false += not swing.back
            elif np.isnan(first[swing.series]):
                first[swing.series] = (tick - learned + 1) * PER_TICK
        if not np.isnan(first).any():
            break
    return float(np.nanmedian(first)), float(np.isnan(first).mean()), false


def measure(seed: int = 1) -> list[dict[str, object]]:
    """Return the rows of the table."""
    rows = []
    promise = 1e6 / PER_TICK
    events, missed = delay(1.2, promise, seed)
    rows.append(
        {
            "what": "+20 % latency at A = 1e6 events",
            "reach": "<= 260 events",
            "measured": f"{events:.0f} events, {missed:.0%} missed",
            "beside": f"River ADWIN {adwin_delay(1.2, seed):.0f}",
        }
    )
    for rho in (0.0, 0.5, 0.9):
        alarms, watched = run_length(40, 12_000, 2e4, rho, seed)
        rows.append(
            {
                "what": f"quantity run length / A, A = 2e4 ticks, events correlated {rho}",
                "reach": ">= 1",
                "measured": f"{watched / 2e4 / alarms:.1f}" if alarms else f"> {watched / 2e4:.0f}, no alarm",
                "beside": "",
            }
        )
    for what, slot, times in (("a 3 % category doubles", 7, 2.0), ("a .05 % category comes to 1 %", 11, 20.0)):
        events, missed, false = mix_delay(slot, times, promise, seed)
        rows.append(
            {
                "what": f"{what}, A = 1e6 events",
                "reach": "<= 900 events",
                "measured": f"{events:.0f} events, {missed:.0%} missed, {false} false alarms before",
                "beside": "PSI > .1 on windows of 1,000: never",
            }
        )
    return rows


if __name__ == "__main__":
    began = time.perf_counter()
    for row in measure():
        print(row)
    print(f"{time.perf_counter() - began:.0f} s")
