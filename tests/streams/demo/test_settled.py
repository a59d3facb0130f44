"""The demo judges itself by what moves: when it is done, what it waits for, and when it gives up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.demo.settled import RATE_SECONDS, STILL_SECONDS, STUCK_SECONDS, Look, Progress

WORKERS = ("history", "watch", "detect", "incidents")


def look(at, sent=100, **left):
    """A look at 100 records for each worker, of which some are left."""
    left = dict.fromkeys(WORKERS, 0) | left
    return Look(at, sent, {name: 100 - amount for name, amount in left.items()}, left)


@pytest.mark.parametrize("worker", WORKERS)
def test_what_anybody_has_left_is_waited_for(worker):
    """It is settled when nothing is left for anybody, and never while Kafka does not answer."""
    assert look(0).settled
    assert not look(0, **{worker: 1}).settled
    assert not Look(0, 100).settled


@given(
    steps=st.lists(st.sampled_from(["sent", *WORKERS, "more"]), min_size=1, max_size=12),
    gap=st.integers(1, int(STUCK_SECONDS) - 1),
)
def test_as_long_as_anything_moves_it_is_not_given_up(steps, gap):
    """However slow it is: an event sent, a commit of any worker or a record more for it puts the end off."""
    progress, now, sent, done, left = Progress(0.0), 0.0, 0, dict.fromkeys(WORKERS, 0), dict.fromkeys(WORKERS, 50)
    progress.note(Look(now, sent, dict(done), dict(left)))
    for step in steps:
        now += gap
        if step == "sent":
            sent += 1
        elif step == "more":
            left["detect"] += 1
        else:
            done[step], left[step] = done[step] + 1, left[step] - 1
        progress.note(Look(now, sent, dict(done), dict(left)))
        assert progress.still(now) == 0
    assert progress.still(now + STUCK_SECONDS) >= STUCK_SECONDS


def test_a_broker_that_is_away_does_not_move_anything():
    """Looks without an answer say so, put nothing off, and what was known before is still not read."""
    progress = Progress(0.0)
    progress.note(look(1.0, detect=7))
    for at in (2.0, 200.0):
        progress.note(Look(at, 100))
    assert progress.still(200.0) == 199
    assert progress.waiting() == "waiting for Kafka to answer"
    assert progress.unread() == ["detect: 7 windows"]


def test_it_says_in_one_line_how_far_each_worker_is():
    """With what is left, how fast it becomes less and how long that takes; who has nothing left is not named."""
    progress = Progress(0.0)
    for second in range(11):
        done = {"history": 500, "watch": 400, "detect": 310 * second}
        progress.note(Look(second, 9_000, done, {"history": 0, "watch": 1_000, "detect": 12_112 - 310 * second}))
    assert progress.waiting() == ("waiting for watch: 1,000 events left; detect: 9,012 windows left, 310/s, about 29 s")
    progress.note(look(20.0))
    assert progress.waiting() == "nothing is left to read"
    assert progress.unread() == []


def test_the_rate_is_of_late():
    """What a worker did long ago says nothing about how long it still takes."""
    progress = Progress(0.0)
    progress.note(Look(0.0, 1, {"detect": 0}, {"detect": 10_000}))
    for at, done in ((RATE_SECONDS + 1, 9_000), (RATE_SECONDS + 11, 9_100)):
        progress.note(Look(at, 1, {"detect": done}, {"detect": 10_000 - done}))
    assert progress.waiting() == "waiting for detect: 900 windows left, 10/s, about 90 s"


def test_who_is_still_is_named_and_who_has_nothing_to_do_is_not():
    """One that is stopped is stuck after a while, whatever the others do; a new record begins a new while."""
    progress = Progress(0.0)
    for at in range(0, int(STILL_SECONDS) + 1, 5):
        progress.note(Look(at, at, {"watch": 10 * at, "detect": 3, "incidents": 1},
                           {"watch": 500 - 10 * at, "detect": 9, "incidents": 0}))  # fmt: skip
    assert progress.stuck(STILL_SECONDS) == ["detect"]
    assert f"detect: 9 windows left, still for {STILL_SECONDS:.0f} s" in progress.waiting()
    now = STILL_SECONDS + 1
    progress.note(Look(now, 99, {"watch": 500, "detect": 3, "incidents": 1}, {"watch": 0, "detect": 9, "incidents": 1}))
    assert progress.stuck(now) == ["detect"]
    progress.note(Look(now + 1, 99, {"watch": 500, "detect": 4, "incidents": 1},
                       {"watch": 0, "detect": 8, "incidents": 1}))  # fmt: skip
    assert progress.stuck(now + 1) == []
