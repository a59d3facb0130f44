"""Who has to wait after wrong tokens or passwords, cell by cell, and that nobody is kept out for good."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.access.limits.tries import MANY_NAMES, WRONG_KEPT, Tries
from tests.streams.access.limits.test_pace import Clock

FREE, LONGEST = 3, 60.0
HERE, THERE = "192.0.2.1", "192.0.2.2"


def tries(clock=None, **more):
    """Return tries of a few."""
    return Tries(FREE, LONGEST, clock or Clock(), **more)


def guess(found, times, address=HERE, name="kim"):
    """Guess so many times, each time another."""
    for each in range(times):
        found.failed(address, name, f"{address} {name} {each}")


MANY = MANY_NAMES * FREE
CELLS = {
    # what happened before: (who waits then), of (address, name)
    "one less than allowed": (lambda t: guess(t, FREE - 1), {}),
    "as many as allowed": (lambda t: guess(t, FREE), {(HERE, "kim")}),
    "the same wrong one all day": (lambda t: [t.failed(HERE, "kim", "old") for _ in range(99)], {}),
    "without a name": (lambda t: guess(t, FREE, name=""), {(HERE, "")}),
    "under many names": (
        lambda t: [guess(t, 1, name=f"n{each}") for each in range(MANY)],
        {(HERE, "kim"), (HERE, "ann"), (HERE, "")},
    ),
    "under many names, where ann came in before": (
        lambda t: [t.right(HERE, "ann"), *(guess(t, 1, name=f"n{each}") for each in range(MANY))],
        {(HERE, "kim"), (HERE, "")},
    ),
    "one name from everywhere, and from here": (
        lambda t: [guess(t, 1, HERE), *(guess(t, 1, f"198.51.100.{each}") for each in range(MANY))],
        {(HERE, "kim")},
    ),
    "one name from everywhere but here": (
        lambda t: [guess(t, 1, f"198.51.100.{each}") for each in range(MANY)],
        {},
    ),
    "guessed here, where it came in before": (lambda t: [t.right(HERE, "kim"), guess(t, FREE)], {(HERE, "kim")}),
    "guessed, and came in": (lambda t: [guess(t, FREE - 1), t.right(HERE, "kim"), guess(t, FREE - 1)], {}),
}


@pytest.mark.parametrize(("before", "waiting"), CELLS.values(), ids=CELLS)
def test_who_waits(before, waiting):
    """Each cell: after what came before, those wait that are named, and nobody else, neither there nor here."""
    found = tries()
    before(found)
    asked = [(address, name) for address in (HERE, THERE) for name in ("kim", "ann", "")]
    assert {each for each in asked if found.wait(*each)} == set(waiting)


def test_each_wait_is_twice_the_one_before_up_to_the_longest():
    """Whoever waits and is wrong again waits longer, to the setting and no longer."""
    clock = Clock()
    found, waits = tries(clock), []
    guess(found, FREE - 1)
    for each in range(10):
        found.failed(HERE, "kim", f"more {each}")
        waits.append(found.wait(HERE, "kim"))
        clock.now += waits[-1]
        assert found.wait(HERE, "kim") == 0
    assert waits == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60, 60, 60])
    clock.now += 3_601
    guess(found, FREE - 1)
    assert found.wait(HERE, "kim") == 0


ACTS = st.lists(
    st.tuples(st.sampled_from([HERE, "198.51.100.7", "2001:db8::1"]), st.sampled_from(["kim", "ann", ""]),
              st.integers(0, 40), st.floats(0, 100)), max_size=80,
)  # fmt: skip


@given(ACTS)
def test_whoever_was_never_wrong_never_waits(acts):
    """However much others guess at a name, from wherever: who comes from elsewhere with it has a try at any time."""
    clock = Clock()
    found = tries(clock)
    for address, name, what, wait in acts:
        clock.now += wait
        found.failed(address, name, str(what))
        assert not any(found.wait(THERE, each) for each in ("kim", "ann", ""))
        assert found.wait(address, name) <= LONGEST


def test_the_tables_have_an_end_and_hold_nothing_that_was_typed():
    """Floods of addresses and names fill no memory; what somebody typed, who may have typed a secret, is in none."""
    found = tries(most=50)
    for each in range(1_000):
        found.failed(f"10.0.{each // 250}.{each % 250}", f"s3cret-name-{each}", "s3cret-password")
        found.right(f"10.1.{each // 250}.{each % 250}", f"s3cret-name-{each}")
    assert len(found) == 100
    assert "s3cret" not in repr((found._tried, found._came_in))
    guess(found, 30)
    assert max(len(each.wrong) for each in found._tried.values()) == WRONG_KEPT


def test_a_machine_is_one_caller_whatever_its_last_bits():
    """Addresses of one IPv6 network count together, another network does not."""
    found = tries()
    for each in range(FREE):
        found.failed(f"2001:db8::{each}", "kim", f"guess {each}")
    assert found.wait("2001:db8::ffff", "kim")
    assert not found.wait("2001:db8:0:1::1", "kim")
