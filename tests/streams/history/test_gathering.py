"""Groups of batches: what is committed together, in which order, and what becomes of it when a commit fails."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.history import gathering
from streams.history.gathering import Gathering

pytestmark = pytest.mark.enable_socket  # of the event loop's own


@dataclass(frozen=True)
class Item:
    """A batch of some size."""

    number: int
    nbytes: int = 1


class Store:
    """Keeps groups; each commit waits until it is let through."""

    def __init__(self, *, held=False):
        self.groups, self.at_once, self.most_at_once = [], 0, 0
        self.free = asyncio.Event()
        if not held:
            self.free.set()

    async def commit(self, group):
        """Keep a group."""
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        await self.free.wait()
        if any(item.number < 0 for item in group):
            raise ValueError("refused")
        self.groups.append([item.number for item in group])
        self.at_once -= 1


async def settle():
    """Let every task that can go on do so."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_what_comes_during_a_commit_is_the_next_group():
    """The first batch is committed at once, and all that come meanwhile together."""

    async def play():
        store = Store(held=True)
        subject = Gathering(store.commit)
        running = asyncio.create_task(subject.run())
        await subject.add(Item(0))
        await settle()
        for number in range(1, 5):
            await subject.add(Item(number))
        store.free.set()
        await subject.flush()
        running.cancel()
        return store.groups

    assert asyncio.run(play()) == [[0], [1, 2, 3, 4]]


@given(sizes=st.lists(st.integers(1, gathering.ENOUGH_BYTES), max_size=12), flushes=st.sets(st.integers(0, 11)))
def test_everything_is_committed_once_in_order_one_group_at_a_time(sizes, flushes):
    """Whatever the sizes and whoever asks for a commit, batches come out in the order in which they came in."""

    async def play():
        store = Store()
        subject = Gathering(store.commit)
        running = asyncio.create_task(subject.run())
        for number, size in enumerate(sizes):
            await subject.add(Item(number, size))
            if number in flushes:
                await asyncio.gather(subject.flush(), subject.flush())
        await subject.flush()
        running.cancel()
        return store

    store = asyncio.run(play())
    assert [number for group in store.groups for number in group] == list(range(len(sizes)))
    assert store.most_at_once <= 1


def test_who_has_more_than_enough_waits_for_room():
    """Beside a commit that hangs, no more is taken than one group holds."""

    async def play():
        store = Store(held=True)
        subject = Gathering(store.commit)
        running = asyncio.create_task(subject.run())
        tasks = [asyncio.create_task(subject.add(Item(number, gathering.ENOUGH_BYTES))) for number in range(4)]
        await settle()
        waiting = sum(not task.done() for task in tasks)
        store.free.set()
        await asyncio.gather(*tasks)
        await subject.flush()
        running.cancel()
        return waiting, store.groups

    assert asyncio.run(play()) == (2, [[0], [1], [2], [3]])


def test_a_commit_that_fails_ends_all():
    """Its error comes to who runs the commits and to whoever brings the next batch; nothing is committed after it."""

    async def play():
        store = Store()
        subject = Gathering(store.commit)
        running = asyncio.create_task(subject.run())
        await subject.add(Item(-1))
        with pytest.raises(ValueError, match="refused"):
            await running
        with pytest.raises(ValueError, match="refused"):
            await subject.add(Item(1))
        return store.groups

    assert asyncio.run(play()) == []


def test_what_is_dropped_is_never_committed():
    """Partitions that were assigned anew come again: what waited is forgotten, what was on its way ends first."""

    async def play():
        store = Store(held=True)
        subject = Gathering(store.commit)
        running = asyncio.create_task(subject.run())
        await subject.add(Item(0))
        await settle()
        await subject.add(Item(1))
        dropping = asyncio.create_task(subject.drop())
        await settle()
        early = dropping.done()
        store.free.set()
        await dropping
        await subject.add(Item(2))
        await subject.flush()
        running.cancel()
        return early, store.groups

    assert asyncio.run(play()) == (False, [[0], [2]])
