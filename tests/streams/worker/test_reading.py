"""Each record once and in order, over every way in which a client may deliver them."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.log_reader import Bounds
from streams.kafka.topics import TopicState
from streams.worker.reading import Hole, Loss, Reading

TOPIC = TopicState("t", "id", 1)


@dataclasses.dataclass(frozen=True)
class Record:
    """What the reading looks at."""

    offset: int


class Log:
    """A log in memory, which may begin late and have offsets that it does not hold."""

    def __init__(self, offsets, begin=0, end=None, committed=None):
        self.offsets, self.begin = sorted(offsets), begin
        self.end = (self.offsets[-1] + 1 if self.offsets else begin) if end is None else end
        self.group = committed

    async def bounds(self, topic, partition):
        """Return where it begins and ends."""
        return Bounds(self.begin, self.end)

    async def between(self, topic, partition, start, end, most):
        """Return what it holds there."""
        return [Record(offset) for offset in self.offsets if max(start, self.begin) <= offset < end][:most]

    async def committed(self, group, topic, partition):
        """Return what the group has committed."""
        return self.group


class Stage:
    """Goes on where it is told to."""

    def __init__(self, at):
        self.at = at

    async def position(self, topic, partition):
        """Return its place."""
        return self.at

    async def forget(self):
        """Do nothing."""


def ran(coroutine):
    """Run a coroutine that waits for nothing, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something")


def read(log, at, deliveries):
    """Return the offsets that a stage gets, the losses that are told, and the reading."""
    losses, got = [], []

    async def lost(loss):
        losses.append(loss)

    async def run():
        reading = Reading("g", Stage(at), log, lost)
        await reading.begin(1)
        for delivered in deliveries:
            async for records in reading.continued(TOPIC, 0, [Record(offset) for offset in delivered]):
                got.extend(record.offset for record in records)
        return reading

    return got, losses, ran(run())


deliveries = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda cut: list(range(cut[0], min(cut[0] + cut[1], 80)))),
    min_size=1,
    max_size=12,
)


@given(deliveries, st.integers(0, 40), st.sets(st.integers(0, 79), max_size=10))
def test_whatever_is_delivered_the_stage_gets_each_record_once_and_in_order(delivered, at, absent):
    """From its place to the highest offset delivered a stage gets exactly what the log holds, in order."""
    log = Log(set(range(80)) - absent)
    pieces = [kept for piece in delivered if (kept := [offset for offset in piece if offset not in absent])]
    if not pieces:
        return
    got, losses, _ = read(log, at, pieces)
    assert got == [offset for offset in log.offsets if at <= offset <= max(map(max, pieces))]
    assert losses == []


@given(st.permutations(range(30)))
def test_records_out_of_order_in_one_delivery_come_in_order(order):
    """What was fetched before and after a seek lies in one delivery, and is put in order."""
    assert read(Log(range(30)), 0, [order])[0] == list(range(30))


@pytest.mark.parametrize("delivered", [[0, 2, 1, 3], [0, 1, 1, 3], [0, 3, 3, 3]])
def test_first_and_last_say_nothing_of_what_is_between(delivered):
    """A delivery that begins and ends as it should is put in order, and its holes are filled, all the same."""
    assert read(Log(range(4)), 0, [delivered])[0] == [0, 1, 2, 3]


def test_what_was_deleted_before_it_was_read_is_told():
    """A stage at 5 of a log that begins at 9 lost four records, and says which."""
    got, losses, _ = read(Log(range(9, 20), begin=9), 5, [[12, 13]])
    assert got == [9, 10, 11, 12, 13]
    assert losses == [Loss(TOPIC, 0, Hole(5, 9))]


def test_a_new_worker_on_an_old_log_has_lost_nothing():
    """Who was never there begins where the log begins."""
    assert read(Log(range(9, 12), begin=9), None, [[9, 10]])[:2] == ([9, 10], [])


@pytest.mark.parametrize(("state", "committed", "place"), [(None, 7, 7), (3, 7, 3), (None, None, 0), (0, 7, 0)])
def test_state_says_where_it_goes_on_and_commits_where_there_is_none(state, committed, place):
    """A stage with a state goes on after it, even where more was committed; without one the commit counts."""
    assert read(Log(range(20), committed=committed), state, [[15]])[0] == list(range(place, 16))


@pytest.mark.parametrize(("state", "committed", "first"), [(None, 50, 0), (50, 50, 10)])
def test_a_log_that_ends_before_what_was_done_is_gone_on_with(state, committed, first):
    """A log cut short is read from its end with a state that holds its records, else from its beginning."""
    log = Log(range(10), committed=committed)

    async def lost(loss):
        raise AssertionError(loss)

    assert ran(Reading("g", Stage(state), log, lost).place(TOPIC, 0)) == first


def test_a_restored_state_covers_what_nothing_was_read_of_since():
    """What a state covers may be committed at once; as soon as records follow, their own commits count."""

    async def lost(loss):
        raise AssertionError(loss)

    async def run():
        reading = Reading("g", Stage(7), Log(range(20), committed=3), lost)
        before = reading.covered("t", 0)
        await reading.place(TOPIC, 0)
        restored = reading.covered("t", 0)
        async for _ in reading.continued(TOPIC, 0, [Record(5), Record(6)]):
            pass
        repeated = reading.covered("t", 0)
        async for _ in reading.continued(TOPIC, 0, [Record(7)]):
            pass
        return before, restored, repeated, reading.covered("t", 0)

    assert ran(run()) == (None, 7, 7, None)


def test_a_tail_that_was_never_delivered_is_missed():
    """Records before the end of the log are missing until they are read; a mark of a transaction at the end is not."""
    log = Log(range(10), end=11)

    async def run():
        _, _, reading = read(log, 0, [[0, 1, 2]])
        missed = await reading.missing(TOPIC, 0, 11)
        async for _ in reading.continued(TOPIC, 0, [Record(9)]):
            pass
        return missed, await reading.missing(TOPIC, 0, 11), reading.next_offset("t", 0)

    assert ran(run()) == (True, False, 11)
