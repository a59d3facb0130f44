"""Pools of services: what several share is seen in all of them, told once, and by whom it may be seen."""

import numpy as np
import pytest

from schemas.windows import Sums
from streams.detect.rates import RateWatch
from streams.policy.policy import Policy, parse_policy
from tests.support.detectors.subjects import assert_same_state
from tests.support.incidents.entries import folding
from tests.support.watchers import assert_each_ends_what_it_opened, assert_successors_agree, group

SECONDS = 600
START = 2_949_000 - 2_949_000 % 144
DAY = 144
RISEN = 4 * DAY
BACK = 6 * DAY


def watch(policy=None):
    """Return a watch of ticks of ten minutes."""
    return RateWatch(
        SECONDS, 1.0, 1_000, policy or parse_policy("detectors: {drift_vote: {river_class: river.drift.NoDrift}}")
    )


def stream(days, rates, trials, version="m", metric="error", **more):
    """Return ticks of services; `rates` and `trials` say of each its rate and its trials at a step."""
    rng, ticks = np.random.default_rng(7), []
    for step in range(round(days * DAY)):
        sums = []
        for at, (p, n) in enumerate(zip(rates(step), trials(step), strict=True)):
            k = int(rng.binomial(n, p))
            own = {"service": f"s{at}", "version": version if isinstance(version, str) else version[at]}
            sums.append(group(rates={metric: Sums(n, k, n, k)}, **own, **more))
        ticks.append((START + step, sums))
    return ticks


def risen(times, usual=(0.004,) * 8):
    """Return the rates of services that all rise for two days."""
    return lambda step: [p * (times if RISEN <= step < BACK else 1) for p in usual]


def thin(_):
    """Return the trials of eight thin services."""
    return [3] * 8


def found_by(subject, ticks):
    """Return all findings, in the order in which they are told."""
    return [each for of_tick in subject.judge_ticks(ticks) for each in of_tick]


def pooled(found):
    """Return the findings of pools."""
    return [each for each in found if each.detector == "pooled_shiryaev_roberts" and each.kind == "rate"]


def test_what_services_share_is_one_page_that_names_them():
    """Eight thin services x4: told as one page within the day, with all that changed in it; the rest is no news."""
    found = found_by(watch(), stream(8, risen(4), thin))
    told = pooled(found)
    [page] = [each for each in found if each.severity == "page"]
    assert page == told[0]
    assert {each.severity for each in told[1:]} == {"info"}
    assert page.versions == ["m"]
    assert 0 <= page.detected_time_unix_nano / 1e9 / SECONDS - START - RISEN < DAY
    for other in told[1:]:
        assert f"{other.service_name} {other.rate * 100:.1f}% ({other.flagged} of {other.sample_size}" in page.evidence
        assert other.service_name in page.evidence_sql
    assert page.details["pool_flagged"] > 2 * page.details["pool_expected"]
    assert_each_ends_what_it_opened(found)
    [incident] = folding(*found).incidents()
    assert (incident.services, incident.status) == ([page.service_name], "recovered")


def test_what_a_service_says_of_itself_belongs_to_what_was_told():
    """The first service is thick enough to be told of alone, a while after its pool: for the record."""
    found = found_by(watch(), stream(8, risen(4), lambda _: [10] + [4] * 7))
    at = found.index(pooled(found)[0])
    own = [each for each in found[at:] if each.kind == "rate" and each not in pooled(found)]
    assert "info" in {each.severity for each in own if "told before" in each.evidence}
    assert "page" not in {each.severity for each in own}


def test_a_service_that_told_of_itself_makes_no_second_page():
    """A thick service is first and pages; the thin ones that follow are a ticket, which says so."""
    rates = lambda step: [0.02 if step >= RISEN - 36 else 0.004, *risen(5)(step)[1:]]  # noqa: E731
    found = found_by(watch(), stream(7, rates, lambda _: [300] + [4] * 7))
    told = pooled(found)
    assert [each.service_name for each in found if each.severity == "page"] == ["s0"]
    assert told[0].severity == "ticket"
    assert "told of before: s0" in told[0].evidence
    assert "s0" not in {each.service_name for each in told}


@pytest.mark.parametrize(
    "rates",
    [
        lambda step: [0.05 if step >= RISEN else 0.004] + [0.004] * 7,
        lambda _: [0.0005] * 4 + [0.05] * 4,
    ],
)
def test_nothing_is_said_of_what_is_of_one_service_or_of_traffic_that_moves(rates):
    """One service has all of the change; or traffic moves to those whose rates are a hundred times as high."""
    busy = lambda step: [9] * 4 + [1] * 4 if step < RISEN else [1] * 4 + [9] * 4  # noqa: E731
    assert pooled(found_by(watch(), stream(8, rates, busy))) == []


def test_what_vanishes_for_all_is_told_too():
    """Refusals of eight thin services fall away together."""
    rates = risen(0.02, (0.05,) * 8)
    [first, *_] = pooled(found_by(watch(), stream(7, rates, thin, metric="refusal")))
    assert (first.severity, first.direction) == ("page", "down")


@pytest.mark.parametrize(("what", "metric"), [("source", "leak"), ("tool", "failing_tool")])
def test_services_that_use_the_same_are_a_pool(what, metric):
    """Each has a version of its own; what they share is a name in a mix of theirs."""
    rates, versions = risen(4, (0.004,) * 8), [f"m{at}" for at in range(8)]
    found = pooled(found_by(watch(), stream(7, rates, thin, versions, metric, mixes={what: {"x": 3}})))
    assert found
    assert f"share {what} x" in found[0].evidence
    assert not pooled(found_by(watch(), stream(7, rates, thin, versions, metric)))


def test_a_team_reads_of_its_own_services_alone():
    """Nobody finds a service of another team in a finding about its own; each team has one that is no record only."""
    text = "teams: {a: {services: [s0, s1, s2, s3]}, b: {services: [s4, s5, s6, s7]}}"
    told = pooled(found_by(watch(parse_policy(text)), stream(7, risen(4), thin)))
    teams = {f"s{at}": "a" if at < 4 else "b" for at in range(8)}
    for each in told:
        for service, team in teams.items():
            if team != teams[each.service_name]:
                assert f"{service} " not in each.evidence
                assert f"'{service}'" not in each.evidence_sql
    loud = [(teams[each.service_name], each.severity) for each in told if each.severity != "info"]
    assert sorted(severity for _, severity in loud) == ["page", "ticket"]
    assert {team for team, _ in loud} == {"a", "b"}


def test_how_minutes_are_cut_changes_nothing():
    """Of ticks of ten seconds a minute is judged when it is over, however its ticks come."""
    rng, ticks, start = np.random.default_rng(3), [], 170_043_840
    for step in range(0, 16_000, 7):
        sums = [group(service=f"s{at}", rates={"leak": Sums(9, int(rng.binomial(9, 0.03)), 9, 9)}) for at in range(4)]
        ticks.append((start + step, sums))
    together, cut = RateWatch(10, 1.0, 100, Policy()), RateWatch(10, 1.0, 100, Policy())
    together.judge_ticks(ticks)
    for at in range(0, len(ticks), 5):
        cut.judge_ticks(ticks[at : at + 5])
    assert len(together.pools.book)
    assert_same_state(together.state(), cut.state())


def test_how_ticks_are_cut_changes_nothing_and_a_successor_goes_on():
    """With a pool that tells and is back: together, one by one, and restored at turns and between."""
    ticks = stream(7.5, risen(5), lambda step: [3 + step % 2] * 6 + [40, 3], mixes={"source": {"x": 1}})
    single, batched = watch(Policy()), watch(Policy())
    one_by_one = [single.judge_ticks([tick])[0] for tick in ticks]
    together = [found for at in range(0, len(ticks), 50) for found in batched.judge_ticks(ticks[at : at + 50])]
    assert together == one_by_one
    assert pooled(found for of_tick in together for found in of_tick)
    assert_same_state(single.state(), batched.state())
    cuts = {DAY + 35, 3 * DAY, 3 * DAY + 36, RISEN + 40, BACK, BACK + 71}
    assert_successors_agree(lambda: watch(Policy()), [sums for _, sums in ticks], cuts, START)
