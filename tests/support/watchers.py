"""Ticks for the watchers of the detect worker, and the rule that all of them keep: a successor goes on as if alone."""

from schemas.windows import GroupSums, Sums
from tests.support.detectors.subjects import assert_same_state

START = 177_000_000
SECONDS = 10


def group(service="a", version="m1", events=20, variant="", **more):
    """Return the sums of a group."""
    return GroupSums(
        **{"tenant_id": "t"} | more,
        service_name=service,
        model_version=version,
        variant=variant,
        events=events,
        calls=events,
    )


def rate(rng, p, metric="leak", trials=20, **more):
    """Return the sums of a tick with a rate."""
    k = int(rng.binomial(trials, p))
    return [group(rates={metric: Sums(trials, k, trials, k)}, **more)]


def run(subject, ticks, make, start=START):
    """Return everything that a sequence of ticks brings to light."""
    return [finding for step in range(ticks) for finding in told(subject, start + step, make(step))]


def told(subject, tick, sums):
    """Return what one tick brings to light, and the passing of time up to it."""
    if hasattr(subject, "judge_ticks"):
        return subject.judge_ticks([(tick, sums)])[0]
    return [*subject.judge(tick, sums), *(subject.advance(tick) if hasattr(subject, "advance") else [])]


def assert_successors_agree(make, stream, cuts, start=START):
    """Hold a watcher restored before each of `cuts` against one that never was; return what they found."""
    plain, other, found = make(), make(), []
    for step, sums in enumerate(stream):
        if step in cuts:
            successor = make()
            successor.restore(other.state())
            other = successor
        expected = told(plain, start + step, sums)
        assert told(other, start + step, sums) == expected
        found += expected
    assert_same_state(plain.state(), other.state())
    assert len({finding.finding_id for finding in found}) == len(found)
    return found


def assert_each_ends_what_it_opened(found):
    """Hold every recovery to a finding before it, of the same service and metric, that none had ended yet."""
    opened = {}
    for finding in found:
        if finding.kind == "recovery":
            before = opened.pop(finding.opened_finding_id)
            assert (before.service_name, before.metric) == (finding.service_name, finding.metric)
            assert before.detected_time_unix_nano < finding.detected_time_unix_nano
        else:
            opened[finding.finding_id] = finding
