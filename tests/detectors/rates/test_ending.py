"""When harm ended, against changes that are composed here, and those of the recorded week."""

import gzip
import json
from collections import defaultdict
from datetime import datetime
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.rates.ending import ending
from streams.events.decode import events_decoder
from streams.events.flags import BIT, event_flags
from tests.streams.events.test_decode import Record


def composed(seed):
    """Return the counts of some minutes of a risen rate that goes back, and the minute in which it does."""
    chance = np.random.default_rng(seed)
    usual, times = chance.uniform(0.002, 0.03), chance.uniform(3, 15)
    end, after = int(chance.integers(20, 300)), int(chance.integers(60, 600))
    trials = chance.poisson(chance.uniform(2, 60), end + after).astype(float)
    rate = np.where(np.arange(end + after) < end, min(times * usual, 0.9), usual)
    return trials, chance.binomial(trials.astype(int), rate).astype(float), end


def test_the_true_end_lies_within_the_interval_nine_times_in_ten():
    """Of three hundred composed changes of all sizes nine in ten ends are within, and half the intervals are short."""
    within, widths = [], []
    for seed in range(300):
        trials, flagged, end = composed(seed)
        found = ending(trials, flagged, np.ones(len(trials)))
        within.append(found is not None and found.first <= end <= found.last)
        widths.append(len(trials) if found is None else found.last - found.first)
    assert np.mean(within) >= 0.9
    assert np.median(widths) <= 15  # minutes


@given(
    counts=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=40),
    direction=st.sampled_from(["up", "down"]),
)
def test_the_estimate_lies_in_its_interval_and_the_rate_changed_the_right_way(counts, direction):
    """Whatever the counts: before the end the rate is further out than after it, or there is none."""
    trials = np.array([float(n) for n, _ in counts])
    flagged = np.array([float(min(n, k)) for n, k in counts])
    found = ending(trials, flagged, np.ones(len(counts)), direction)
    if found is None:
        return
    assert 1 <= found.first <= found.at <= found.last < len(counts)
    before, after = (flagged[part].sum() / trials[part].sum() for part in (slice(found.at), slice(found.at, None)))
    assert before > after if direction == "up" else before < after


def test_a_rate_that_never_fell_has_no_end():
    """Nothing that rises, and nothing without trials, went back."""
    assert ending(np.full(4, 10.0), np.array([0.0, 1.0, 2.0, 3.0]), np.ones(4)) is None
    assert ending(np.zeros(4), np.zeros(4), np.ones(4)) is None


def answers():
    """Return the known changes of the recorded week."""
    return json.loads((resources.files("streams.demo.recorded") / "answers.json").read_text())


def week():
    """Return {(service, metric): {minute: [trials, flagged]}} of the recorded week, a session once a minute."""
    lines = gzip.decompress((resources.files("streams.demo.recorded") / "week.jsonl.gz").read_bytes()).splitlines()
    decode, found = events_decoder(), defaultdict(lambda: defaultdict(dict))
    moved = {metric for each in answers() for metric in each["metrics"] if metric in BIT}
    for first in range(0, len(lines), 8_000):
        batch = [Record(line, timestamp=1_800_000_000_000) for line in lines[first : first + 8_000]]
        for kind, columns in decode(batch).kinds.items():
            if kind.__name__ not in ("Inference", "AgentStep"):
                continue
            flags, table = event_flags(columns), columns.table
            names = ("service_name", "session_id", "trace_id", "time_unix_nano")
            rows = zip(*(table.column(name).to_pylist() for name in names), flags.trials, flags.flagged, strict=True)
            for service, session, trace, time, trials, flagged in rows:
                for metric in moved:
                    if int(trials) & BIT[metric]:
                        minute = found[service, metric][time // 60_000_000_000]
                        who = session or trace
                        minute[who] = minute.get(who, False) or bool(int(flagged) & BIT[metric])
    return found


@pytest.fixture(scope="module")
def changes():
    """The known changes of rates that ended: (service, metric), first and last minute, and the counts around."""
    counted, found = week(), []
    for each in answers():
        if each["end"] is None or not {"leak", "error", "injection_flag"} & set(each["metrics"]):
            continue
        start, end = (int(datetime.fromisoformat(each[name]).timestamp()) // 60 for name in ("start", "end"))
        for metric in each["metrics"]:
            minutes = {at: cell for at, cell in counted[each["service"], metric].items()
                       if start <= at < end + 3 * (end - start)}  # fmt: skip
            found.append((f"{each['id']} {metric}", end, minutes))
    return found


def test_the_ends_of_the_recorded_week_lie_within_their_intervals(changes):
    """Of all rates that a known change moved and let go, nine in ten ends are within."""
    within = []
    for name, end, minutes in changes:
        at = np.array(sorted(minutes))
        trials = np.array([float(len(minutes[each])) for each in at])
        flagged = np.array([float(sum(minutes[each].values())) for each in at])
        found = ending(trials, flagged, np.append(np.diff(at), 1.0).astype(float))
        assert found is not None, name
        within.append(at[found.first - 1] <= end <= at[found.last])
    assert len(within) >= 7
    assert np.mean(within) >= 0.9
