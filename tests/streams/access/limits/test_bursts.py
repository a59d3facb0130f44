"""When people are told of wrong tokens and passwords: once an episode, cell by cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.access.limits.bursts import MOST, MOST_OF_ALL, QUIET_SECONDS, SEVERAL, WITHIN_SECONDS, Bursts
from tests.streams.access.limits.test_pace import Clock

HERE = "192.0.2.1"
PACE = WITHIN_SECONDS / MOST_OF_ALL / 2
"""Seconds between two, at which all fall into the time that counts."""


def told(acts, pace=PACE):
    """Return what is told of some wrong ones, each an address and a name: what it was, and from how many addresses."""
    clock, found = Clock(), []
    bursts = Bursts(clock, lambda: int(clock.now * 1e9))
    for address, name in acts:
        clock.now += pace
        bursts.note("api", address, name)
        found += bursts.due()
    return [(each.what, each.address, each.addresses) for each in found]


def many(number):
    """Return addresses."""
    return [f"198.51.{each // 250}.{each % 250}" for each in range(number)]


CELLS = {
    "one less": ([(HERE, "kim")] * (MOST - 1), []),
    "from one address": ([(HERE, "kim")] * MOST, [("address", HERE, 1)]),
    "from one address, for long": ([(HERE, "kim")] * 20 * MOST, [("address", HERE, 1)]),
    "from one address under many names": ([(HERE, f"n{each}") for each in range(9 * MOST)], [("address", HERE, 1)]),
    "without a name": ([(HERE, "")] * MOST, [("address", HERE, 1)]),
    "one name from many addresses": ([(each, "kim") for each in many(6 * MOST)], [("name", "", MOST)]),
    "one name from too few": ([(each, "kim") for each in many(SEVERAL - 1) * (MOST // 2)], []),
    "no name from many addresses": ([(each, "") for each in many(MOST)], []),
    "all together": ([(each, each) for each in many(4 * MOST_OF_ALL)], [("all", "", MOST_OF_ALL)]),
    "two addresses": (
        [(each, "kim") for each in (HERE, "192.0.2.2") for _ in range(MOST)],
        [("address", HERE, 1), ("address", "192.0.2.2", 1)],
    ),
}


@pytest.mark.parametrize(("acts", "expected"), CELLS.values(), ids=CELLS)
def test_an_episode_is_told_once(acts, expected):
    """Each cell: whose episode it is, and that it is neither told again nor counted as another's."""
    assert told(acts) == expected


def test_what_comes_slowly_is_none_and_after_a_quiet_time_it_is_another():
    """Fewer in the time that counts are nobody's page; what begins again later is."""
    assert told([(HERE, "kim")] * 10 * MOST, WITHIN_SECONDS / (MOST - 2)) == []
    clock = Clock()
    bursts = Bursts(clock, lambda: int(clock.now * 1e9))
    found = []
    for wait in (1, QUIET_SECONDS - 1, QUIET_SECONDS + 1):
        clock.now += wait
        for _ in range(MOST):
            bursts.note("api", HERE, "")
        found.append(len(bursts.due()))
    assert found == [1, 0, 1]


def test_when_it_began_and_how_many_there_were_is_told():
    """The times are those of the first and the last one, and nothing of a name is in what is told."""
    clock = Clock()
    bursts = Bursts(clock, lambda: int(clock.now * 1e9))
    for _ in range(MOST):
        clock.now += 2
        bursts.note("sql", HERE, "s3cret-name")
    [found] = bursts.due()
    assert (found.times, found.seconds, found.door) == (MOST, 2 * (MOST - 1), "sql")
    assert (found.at - found.began) == 2 * (MOST - 1) * 10**9
    assert "s3cret" not in repr((found, bursts._seen))


@given(st.lists(st.tuples(st.sampled_from([HERE, *many(3)]), st.sampled_from(["", "kim", "ann"])), max_size=300))
def test_however_they_come_few_pages_are_told(acts):
    """No more episodes than there are addresses and names, and the one of all, whatever the order."""
    found = told(acts, 0.1)
    assert len(found) <= 4 + 2 + 1


def test_the_table_has_an_end():
    """A flood of addresses and names fills no memory."""
    bursts = Bursts(Clock(), most=20)
    for each in many(1_000):
        bursts.note("api", each, each)
    assert len(bursts._seen) <= 20
