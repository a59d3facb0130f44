"""Health tells the truth: what is done, what waits, what is away, and whether starting again may help."""

import asyncio
import time
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.health.disk import Floor
from streams.health.problems import PROBLEMS
from streams.kafka.reach import KafkaWatch
from streams.settings import load
from streams.worker import health
from streams.worker.health import Progress
from tests.support.waiting import PATIENCE_SECONDS

ONE = TP("t", 0)


@pytest.fixture
def progress(monkeypatch):
    """The progress of a worker with one partition, whose log ends at 10, and whose clock can be put forward."""
    consumer = SimpleNamespace(assignment=lambda: {ONE}, highwater=lambda _: 10, _committed_offset={ONE: 0})
    made = Progress(SimpleNamespace(consumer=consumer, consumer_generation_id=1), load())
    made._watching = object()
    made.now = 1000.0
    monkeypatch.setattr(health, "time", SimpleNamespace(monotonic=lambda: made.now))
    made._moved = made._acked_at = made.now
    return made


def test_a_worker_that_takes_nothing_of_what_waits_stalls(progress):
    """Records wait, none comes: after a minute it is neither healthy nor ready, and starting it again may help."""
    assert progress.ready()
    progress.now += health.STALLED_SECONDS
    assert progress.stalled()
    assert not progress.ready()
    assert progress.problems() == ["10 records wait, and none was acknowledged for 60 s"]


def test_a_worker_that_has_taken_everything_does_not_stall_however_long_it_keeps_it(progress):
    """Offsets may wait for the end of a long tick: that is shown, and no reason to start it again."""
    progress.received(ONE, 10, 9)
    progress.finished()
    progress.now += 3600
    assert not progress.stalled()
    assert progress.problems()
    progress.acknowledged(ONE, 9)
    assert progress.problems() == []


def test_a_batch_that_never_ends_stalls(progress):
    """Work that was begun and does not end is a stall, also where nothing else waits."""
    progress.received(ONE, 10, 9)
    progress.now += health.STALLED_SECONDS
    assert progress.stalled()


@pytest.mark.parametrize(("name", "stalls"), [("kafka", False), ("store", False), ("disk", False), ("engine", True)])
def test_what_is_away_is_waited_for_and_a_broken_engine_is_not(progress, name, stalls):
    """Without Kafka, server or room a worker is unready but not stalled; its own broken engine is a stall."""
    progress.received(ONE, 5, 4)
    progress.now += 10 * health.STALLED_SECONDS
    PROBLEMS.note(name, "in words")
    assert not progress.ready()
    assert "in words" in progress.problems()
    assert progress.stalled() is stalls


def test_a_worker_that_has_not_joined_or_not_read_is_not_ready_and_a_spare_one_is(progress):
    """Ready needs a place in the group, and an answer about each partition that came with it."""
    app = progress._app
    app.consumer_generation_id = 0
    assert not progress.ready()
    app.consumer_generation_id = 1
    assert progress.ready()
    app.consumer.highwater = lambda _: None
    assert not progress.ready()
    app.consumer.assignment = set
    assert progress.ready()


def test_another_problem_makes_it_unhealthy_and_not_unready(progress):
    """What others note is in the words of the page; the work goes on."""
    PROBLEMS.note("corrupt", "a part is corrupt")
    assert progress.ready()
    assert progress.problems() == ["a part is corrupt"]


@pytest.mark.enable_socket
async def test_a_broker_that_is_not_there_is_noted(monkeypatch):
    """Nobody listens: after some questions the problem `kafka` has the address in it."""
    monkeypatch.setattr("streams.kafka.reach.CHECK_SECONDS", 0.01)
    monkeypatch.setattr("streams.kafka.reach.PATIENCE_SECONDS", 0.05)
    watch = KafkaWatch(load(kafka="127.0.0.1:1"))
    watching = asyncio.create_task(watch.watch())
    end = time.monotonic() + PATIENCE_SECONDS
    while "kafka" not in PROBLEMS.current():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)
    assert "127.0.0.1:1" in PROBLEMS.current()["kafka"]
    watching.cancel()


@pytest.mark.enable_socket
async def test_a_client_that_does_not_end_does_not_blind_the_watch(monkeypatch):
    """Closing one may wait for ever; the next question is asked all the same, and the problem is noted."""
    monkeypatch.setattr("streams.kafka.reach.AIOKafkaClient.close", lambda _: asyncio.Event().wait())
    monkeypatch.setattr("streams.kafka.reach.ANSWER_SECONDS", 0.2)
    await test_a_broker_that_is_not_there_is_noted(monkeypatch)


def test_room_is_short_under_the_floor_until_there_is_more_than_that(tmp_path, monkeypatch):
    """Short under the floor, and then until a little more is free; a floor of 0 is none; the folder may be missing."""
    free = [50e6]
    monkeypatch.setattr("streams.health.disk.shutil.disk_usage", lambda _: SimpleNamespace(free=free[0]))
    floor = Floor(tmp_path / "not" / "there", 40)
    assert floor.short() is None
    free[0] = 39e6
    assert "39 MB are free" in floor.short()
    free[0] = 41e6
    assert "44 MB are wanted" in floor.short()
    free[0] = 45e6
    assert floor.short() is None
    free[0] = 0
    assert Floor(tmp_path, 0).short() is None
