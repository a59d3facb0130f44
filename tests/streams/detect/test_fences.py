"""Services over a limit of their own: said once, ended by itself, and no matter for anybody else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detect.fences import AT_LEAST, CALM_SECONDS, FenceWatch
from tests.support.watchers import SECONDS, START, assert_each_ends_what_it_opened, assert_successors_agree, group, run

HOUR = CALM_SECONDS // SECONDS


def watch():
    """Return a watch with a limit of a fifth."""
    return FenceWatch(SECONDS, 0.2)


def crowd(service="a", **more):
    """Return the sums of a service some of whose names found no place."""
    return group(service, version="~other", tenant_id="~other", **more)


def test_refused_records_over_the_limit_are_a_page_with_its_end():
    """A service most of whose records are refused is one page; when that has stopped, its end comes by itself."""
    subject = watch()
    found = run(subject, 200, lambda _: [group(events=6, refused=14)])
    assert [(each.kind, each.severity, each.metric) for each in found] == [("telemetry", "page", "refused")]
    assert (subject.open_since("a"), subject.open_since("b")) == ("records refused", "")
    back = run(subject, HOUR, lambda _: [], START + 200)
    assert [(each.kind, each.severity, each.metric) for each in back] == [("recovery", "info", "refused")]
    assert_each_ends_what_it_opened([*found, *back])
    assert not subject.open_since("a")


def test_too_many_names_are_a_ticket_until_an_hour_without():
    """A name too many is told once, and is over when none was for an hour, not before."""
    subject = watch()
    found = run(subject, 50, lambda _: [crowd()])
    assert [(each.severity, each.metric) for each in found] == [("ticket", "crowded")]
    assert not run(subject, HOUR - 1, lambda _: [group()], START + 50)
    back = run(subject, 1, lambda _: [group()], START + 49 + HOUR)
    assert [(each.kind, each.opened_finding_id) for each in back] == [("recovery", found[0].finding_id)]


@pytest.mark.parametrize("sums", [[], [group()], [group(events=95, refused=5)], [group(events=0, refused=0)]])
def test_what_is_within_its_limits_is_no_news(sums):
    """Nothing refused, a share below the limit, and empty ticks are quiet."""
    assert not run(watch(), 300, lambda _: sums)


def test_few_refused_records_mean_nothing():
    """All of a handful refused is no news: below a hundred a share says nothing."""
    assert not run(watch(), 1, lambda _: [group(events=0, refused=AT_LEAST - 1)])
    assert run(watch(), 1, lambda _: [group(events=0, refused=AT_LEAST)])


def test_without_a_state_it_begins_anew():
    """A state of before there were fences is an empty one."""
    subject = watch()
    subject.restore({})
    assert not run(subject, 3, lambda _: [group()])


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 2 * HOUR), max_size=4))
def test_a_successor_says_the_same(seed, cuts):
    """Restored at any ticks it says the same in the same order, also where several services are well again at once."""
    rng, names = np.random.default_rng(seed), ["z", "b\0", "a/b", "a"]
    order = rng.permutation(4).tolist()
    stream = [
        [part(names[at], events=5, refused=30) for at in order[: 1 + step // 5] for part in (group, crowd)]
        if step < 30
        else []
        for step in range(2 * HOUR)
    ]
    found = assert_successors_agree(watch, stream, cuts)
    assert_each_ends_what_it_opened(found)
    assert sum(each.kind == "recovery" for each in found) == 8
