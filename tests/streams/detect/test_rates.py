"""Rates: which finding pages, what stays quiet, what closes, and a successor that says the same."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.windows import Sums
from streams.detect.rates import RateWatch
from streams.findings.finding import start_of
from streams.policy.policy import Policy, parse_policy
from tests.support.watchers import (
    SECONDS,
    START,
    assert_each_ends_what_it_opened,
    assert_successors_agree,
    group,
    rate,
    run,
)

NO_VOTE = "drift_vote: {river_class: river.drift.NoDrift}"


def watch(policy=None, most=1_000):
    """Return a watch of a whole fleet."""
    return RateWatch(SECONDS, 1.0, most, policy or Policy())


def test_a_service_pages_once_and_the_policy_decides_whether():
    """A leak that rises pages once for the service, its tenants' series are tickets; a policy can make it a ticket."""
    for policy, severity in ((Policy(), "page"), (parse_policy("detectors: {rates: {leak: ticket}}"), "ticket")):
        rng, subject = np.random.default_rng(1), watch(policy)
        found = run(subject, 1_200, lambda step, rng=rng: rate(rng, 0.2 if step >= 1_000 else 0.005))
        risen = [finding for finding in found if finding.kind == "rate"]
        assert [finding.severity for finding in risen] == [severity, "ticket"]
        assert {finding.tenant_id for finding in risen} == {"*", "t"}
        assert risen[0].baseline <= 0.023
    off = watch(parse_policy(f"detectors: {{rates: {{leak: 'off'}}, {NO_VOTE}}}"))
    assert not run(off, 1_200, lambda step: rate(np.random.default_rng(step), 0.2 if step >= 1_000 else 0.005))


def test_a_family_with_more_weight_pages_sooner():
    """Of two equal rises the family with the greater part of the budget has the lower threshold."""
    text = "budget: {pages_per_day: 0.01, weights: {leak: 20, unsafe: 0.2}}"
    promises = {}
    for metric in ("leak", "unsafe_served"):
        rng, subject = np.random.default_rng(3), watch(parse_policy(text))
        found = run(subject, 700, lambda step, rng=rng, metric=metric: rate(rng, 0.3 if step >= 600 else 0.01, metric))
        promises[metric] = next(finding.promise for finding in found if finding.kind == "rate")
    assert promises["leak"] * 50 < promises["unsafe_served"]


def test_a_rise_that_is_over_may_page_again():
    """Each rise has its end, which names it; the next rise of the service pages anew, under a name of its own."""
    rng, subject = np.random.default_rng(4), watch()
    found = run(subject, 1_600, lambda step: rate(rng, 0.3 if step % 800 >= 600 else 0.01))
    assert_each_ends_what_it_opened(finding for finding in found if finding.kind != "drift_vote")
    pages = [finding for finding in found if finding.severity == "page"]
    assert len(pages) == len({finding.finding_id for finding in pages}) == 2
    assert pages[0].onset_time_unix_nano < start_of(START + 800, SECONDS) <= pages[1].onset_time_unix_nano


@pytest.mark.parametrize(
    ("text", "metric", "told"),
    [("{}", "refusal", ["page"]), ("{}", "blocked", ["ticket"]), ("detectors: {falls: ticket}", "refusal", ["ticket"]),
     ("detectors: {rates: {refusal: ticket}}", "refusal", ["ticket"]), ("detectors: {falls: 'off'}", "refusal", [])],
)  # fmt: skip
def test_refusals_that_vanish_page(text, metric, told):
    """A fall is told of the service as a whole, and pages where a rise of that rate would, unless told not to."""
    rng, subject = np.random.default_rng(5), RateWatch(600, 1.0, 100, parse_policy(text))
    found = run(subject, 360, lambda step: rate(rng, 0.05 if step < 288 else 0.0, metric, 200))
    fallen = [finding for finding in found if finding.direction == "down" and finding.kind == "rate"]
    assert [(finding.tenant_id, finding.severity) for finding in fallen] == [("*", severity) for severity in told]


@pytest.mark.parametrize("sums", [[], [group()], [group(rates={"no.such": Sums(9, 9, 9, 9)})],
                                  [group(rates={"leak": Sums(0, 0, 0, 0)})]])  # fmt: skip
def test_what_says_nothing_changes_nothing(sums):
    """An empty tick, a rate that nobody knows and one without trials bring nothing to light and take no place."""
    subject = watch()
    assert run(subject, 50, lambda _: sums) == []
    assert len(subject.book) == 0


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 149), max_size=4))
def test_a_successor_says_the_same(seed, cuts):
    """Restored in mid-stream at any ticks, with rises open or not, it finds the same in the same state."""
    rng = np.random.default_rng(seed)
    stream = [
        [
            part
            for service in ("a", "b\0", "a/b")
            for part in rate(rng, 0.9 if 40 <= step < 60 + 20 * len(service) else 0.01, service=service)
        ]
        for step in range(150)
    ]
    assert any(finding.kind == "rate" for finding in assert_successors_agree(watch, stream, cuts))
