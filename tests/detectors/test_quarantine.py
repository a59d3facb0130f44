"""What waits, and what becomes of it."""

import numpy as np

from detectors.rates.baseline import Baseline
from detectors.rates.quarantine import Quarantine

ONE = np.array([0])
HOUR = 360
START = 19_675 * 24 * HOUR


def waiting(hours):
    """Return a baseline and a quarantine in which 100 trials, h of them flagged, wait for each hour h."""
    baseline, quarantine = Baseline(10), Quarantine()
    baseline.grow(np.array([0.02]))
    quarantine.extend(1)
    for hour in hours:
        tick = START + hour * HOUR
        quarantine.hold(baseline.hour_of(tick), ONE, np.array([100.0]), np.array([float(hour)]))
    return baseline, quarantine


def test_what_waited_counts_for_the_hours_it_came_from():
    """Released after five hours, each of them has its own sums, and the level has all."""
    baseline, quarantine = waiting(range(5))
    quarantine.release(baseline, START + 4 * HOUR, ONE, np.array([START]))
    first = baseline.hour_of(START) % 168
    assert baseline.hour_trials[0, first : first + 5].tolist() == [100.0] * 5
    assert baseline.hour_flagged[0, first : first + 5].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert (baseline.trials[0], baseline.flagged[0]) == (500.0, 10.0)


def test_what_waited_for_more_than_a_day_is_learned_whole():
    """After 30 hours the early ones count for the same hour of the last day, and nothing is lost."""
    baseline, quarantine = waiting(range(30))
    quarantine.release(baseline, START + 29 * HOUR, ONE, np.array([START]))
    assert baseline.trials[0] == baseline.hour_trials[0].sum() == 3000
    assert baseline.flagged[0] == baseline.hour_flagged[0].sum() == sum(range(30))


def test_what_was_released_or_dropped_is_not_learned_again():
    """A second release brings nothing, and neither does one after a drop."""
    baseline, quarantine = waiting([0])
    quarantine.release(baseline, START, ONE, np.array([START]))
    quarantine.release(baseline, START, ONE, np.array([START]))
    assert baseline.trials[0] == 100
    quarantine.hold(baseline.hour_of(START), ONE, np.array([100.0]), np.array([50.0]))
    quarantine.drop(ONE)
    quarantine.release(baseline, START, ONE, np.array([START]))
    assert (baseline.trials[0], baseline.flagged[0]) == (100.0, 0.0)
