"""What a fleet shows of a rate reaches its series in time, and whether ticks are judged together changes nothing."""

import numpy as np

from schemas.windows import Sums
from streams.detect.rates import RateWatch
from streams.policy.policy import Policy
from tests.support.detectors.subjects import assert_same_state
from tests.support.watchers import assert_successors_agree, group

SECONDS = 1_800
START = 983_000
DAY = 48


def watch():
    """Return a watch of half-hours."""
    return RateWatch(SECONDS, 1.0, 1_000, Policy())


def stream(length, services, risen=-1):
    """Return ticks of a fleet, of 150 trials at .2 per cent; the last service is thin, and fails from a tick on."""
    rng, ticks = np.random.default_rng(2), []
    for step in range(length):
        sums = []
        for at in range(services):
            n = 4 if at == services - 1 else 150
            k = int(rng.binomial(n, 0.2 if n == 4 and 0 <= risen <= step else 0.002))
            sums.append(group(service=f"s{at:02}", rates={"denied_tool": Sums(n, k, n, k)}))
        ticks.append((START + step, sums))
    return ticks


def ceiling_told(ticks):
    """Return the ceiling that the first finding about the last service names."""
    subject, last = watch(), max(part.service_name for part in ticks[0][1])
    found = [finding for of_tick in subject.judge_ticks(ticks) for finding in of_tick]
    return next(finding.baseline for finding in found if finding.service_name == last and finding.kind == "rate")


def test_a_thin_service_is_judged_by_what_its_fleet_shows():
    """A thin service is found above a ceiling that is at most two thirds of the one it would have alone."""
    ticks = stream(4 * DAY, 20, 2 * DAY)
    alone = [(tick, sums[-1:]) for tick, sums in ticks]
    assert ceiling_told(ticks) < 0.67 * ceiling_told(alone)


def test_ticks_together_are_ticks_one_by_one():
    """Over several turns at which the fleet speaks, in batches of any size: the same findings, the same state."""
    ticks = stream(3 * DAY, 10, 2 * DAY)
    single, batched = watch(), watch()
    one_by_one = [single.judge_ticks([tick])[0] for tick in ticks]
    together = [found for at in range(0, len(ticks), 35) for found in batched.judge_ticks(ticks[at : at + 35])]
    assert together == one_by_one
    assert_same_state(single.state(), batched.state())
    assert (single.rises.baseline.fleet_events > 0).any()


def test_a_successor_listens_to_the_fleet_at_the_same_turn():
    """Restored just before, at and just after a turn, a watch goes on as one that never was."""
    sums = [sums for _, sums in stream(2 * DAY, 9)]
    turn = -START % 12
    assert_successors_agree(watch, sums, {turn + 60, turn + 61, turn + 71, turn + 72, turn + 73}, START)
