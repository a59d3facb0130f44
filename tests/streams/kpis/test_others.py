"""Latencies, burn rates and known attacks."""

import math
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import HOUR, START, ask, counts, fill, holds, of

pytestmark = pytest.mark.store

Z = 1.959963984540054


@settings(max_examples=6)
@given(values=st.lists(st.integers(0, 90), min_size=1, max_size=120), failed=st.integers(0, 40))
def test_latencies_are_quantiles_of_their_bins(store, values, failed):
    """Middle of the bin of the quantile, edges of the bins of its bounds; hours and partitions summed."""
    halves = [values[::2], values[1::2]]
    rows = [
        {"hour": START + index * HOUR, "service_name": "a", "model_version": "m", "stage": "action", "judged": 40,
         "failed": failed, "bins": {value: half.count(value) for value in half}, "kafka_partition": index}
        for index, half in enumerate(halves)
    ]  # fmt: skip
    fill(store, service_hours=[counts(0), counts(1)], stage_hours=rows)
    found, ordered, n = ask(store, "kpi_latencies"), sorted(values), len(values)
    for kpi, share in (("latency_p50", 0.5), ("latency_p95", 0.95)):
        spread = Z * math.sqrt(n * share * (1 - share))
        low, high = math.floor(n * share - spread), math.ceil(n * share + spread) + 1
        row = found[kpi, "action", 0, "a", ""]
        assert row["value"] == pytest.approx(2 ** ((ordered[math.ceil(share * n) - 1] + 0.5) / 8))
        assert row["lower"] == (pytest.approx(2 ** (ordered[low - 1] / 8)) if low >= 1 else None)
        assert row["upper"] == (pytest.approx(2 ** ((ordered[high - 1] + 1) / 8)) if high <= n else None)
        assert row["n"] == n
    errors = ask(store, "kpi_known_shares")["stage_errors", "action", 0, "a", ""]
    assert holds(errors, 2 * failed, 80)


def test_a_probe_is_detected_by_any_guard_that_names_it(store):
    """Probes count once however often they were stored, and a verdict may come elsewhere and later."""

    def probe(name, sent, detections, partition=0, hour=0):
        return {"minute": START + hour * HOUR, "service_name": "a", "model_version": "m", "probe_id": name,
                "sent": sent, "detections": detections, "kafka_partition": partition}  # fmt: skip

    rows = [probe("1", 1, 1), probe("2", 1, 0), probe("2", 0, 1, partition=1, hour=2), probe("3", 2, 0),
            probe("4", 0, 1)]  # fmt: skip
    fill(store, service_hours=[counts(0)], probe_minutes=[*rows, rows[0]])
    assert holds(of(ask(store, "kpi_known_shares"), "injection_detection")[0, "a", ""], 2, 3)


def test_a_probe_that_nobody_judged_is_not_missed(store):
    """One that ended in an error is in no detection rate, unless the service judged it; families are apart."""

    def probe(name, family, **fields):
        return {"minute": START, "service_name": "a", "model_version": "m", "probe_id": name, "sent": 1,
                "family": family, "detections": 0, "failed": 0, "answered": 0} | fields  # fmt: skip

    rows = [
        probe("1", "direct", detections=1, failed=1), probe("2", "direct", failed=1), probe("3", "direct", answered=1),
        probe("4", "indirect", failed=1, answered=1), probe("5", "indirect"), probe("6", "", detections=1),
    ]  # fmt: skip
    fill(store, service_hours=[counts(0)], probe_minutes=rows)
    found = ask(store, "kpi_known_shares")
    assert holds(of(found, "injection_detection")[0, "a", ""], 2, 5)
    assert holds(of(found, "probes_unreachable")[0, "a", ""], 1, 6)
    for family, hits, n in (("direct", 1, 2), ("indirect", 0, 2), ("other", 1, 1)):
        assert holds(found["probe_detection", family, 0, "a", ""], hits, n)


@settings(max_examples=6)
@given(minutes=st.dictionaries(st.integers(0, 5_000), st.tuples(st.integers(1, 50), st.integers(0, 3)), max_size=20))
def test_a_burn_rate_is_the_smaller_of_two_windows(store, minutes):
    """Each window ends where the period does; without outputs in one of the two nothing is known."""
    end = START + timedelta(hours=96)
    rows = [
        {"minute": end - timedelta(minutes=ago + 1), "service_name": "a", "model_version": "m",
         "unsafe_served_trials": trials, "unsafe_served": min(unsafe, trials)}
        for ago, (trials, unsafe) in minutes.items()
    ]  # fmt: skip
    fill(store, service_hours=[counts(hour) for hour in range(96)], service_minutes=rows)
    found = ask(store, "kpi_burn_rates", hours=96)

    def share(size):
        chosen = [(trials, min(unsafe, trials)) for ago, (trials, unsafe) in minutes.items() if ago < size]
        trials = sum(row[0] for row in chosen)
        return (sum(row[1] for row in chosen) / trials, trials) if trials else None

    for part, long, short in (("1h/5m > 14.4", 60, 5), ("6h/30m > 6", 360, 30), ("3d/6h > 1", 4320, 360)):
        wanted = [share(long), share(short)]
        row = found.get(("burn_rate", part, 1, "a", ""))
        if None in wanted:
            assert row is None or row["value"] is None
        else:
            assert row["value"] == pytest.approx(min(wanted)[0] / 0.01)
            assert row["lower"] <= row["value"] <= row["upper"]
            assert row["trust"] == "trusted"
