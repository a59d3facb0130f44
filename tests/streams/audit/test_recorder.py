"""Who records waits for nothing, and nothing is lost without a word."""

import asyncio
import errno
import fcntl
import os
from collections import Counter

import pytest

from streams.audit import log as module
from streams.audit.recorder import PROBLEM, STRANGERS_A_MINUTE, Recorder
from streams.health.problems import PROBLEMS
from streams.settings import load
from tests.support.audit import entries, kinds
from tests.support.waiting import wait_until

pytestmark = pytest.mark.store  # not for the store: an event loop has sockets


@pytest.fixture
def settings(tmp_path):
    """Settings of an installation in a folder."""
    return load(data_dir=tmp_path, disk_floor_mb=0)


@pytest.fixture
def disk(monkeypatch, tmp_path):
    """A disk that takes half of what is written to the log and then is full, as long as `full` says so."""
    state, write = {"full": False, "tried": 0}, os.write

    def half(opened, data):
        if not state["full"] or os.fstat(opened).st_ino not in {each.stat().st_ino for each in tmp_path.glob("*/*")}:
            return write(opened, data)
        state["tried"] += 1
        if state["tried"] % 2:
            return write(opened, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "write", half)
    return state


async def test_a_full_disk_stops_nobody_and_leaves_a_visible_gap(settings, disk):
    """Entries wait, then are counted; the problem is shown; when there is room again, all that waited is there."""
    recorder = Recorder(settings, most_waiting=5, again=0.01)
    recorder.record("access", status=0)
    await recorder.start()
    await asyncio.to_thread(wait_until, lambda: recorder.log.end()[0] == 2 and not recorder._waiting)
    disk["full"] = True
    for number in range(8):
        recorder.record("access", status=number)
    await asyncio.to_thread(wait_until, lambda: PROBLEM in PROBLEMS.current() and disk["tried"] > 3)
    assert "No space left" in PROBLEMS.current()[PROBLEM]
    disk["full"] = False
    await asyncio.to_thread(wait_until, lambda: PROBLEM not in PROBLEMS.current())
    await recorder.stop()
    assert kinds(recorder.log) == ["begun", *["access"] * 6, "gap"]
    assert entries(recorder.log)[-1]["lost"] == 3


async def test_what_waits_is_written_at_the_end(settings):
    """A worker that is told to stop leaves nothing behind in memory."""
    recorder = Recorder(settings)
    await recorder.start()
    for number in range(2_500):
        recorder.record("access", status=number)
    await recorder.stop()
    assert len(kinds(recorder.log)) == 2_501


async def test_a_disk_that_stays_full_does_not_hold_up_the_end(settings, disk):
    """The worker stops all the same."""
    recorder = Recorder(settings, again=3_600)
    disk["full"] = True
    await recorder.start()
    recorder.record("access", status=1)
    await asyncio.to_thread(wait_until, lambda: PROBLEM in PROBLEMS.current())
    await recorder.stop()
    assert recorder.log.end()[0] == 0


async def test_strangers_do_not_fill_the_disk(settings):
    """Of requests of nobody so many a minute are written down, the rest is counted; those with a name all are."""
    now = 0.0
    recorder = Recorder(settings, clock=lambda: now)
    for _ in range(2):
        for number in range(STRANGERS_A_MINUTE + 30):
            recorder.record("refused", stranger=True, status=401)
            recorder.record("access", who="kim", status=number)
        now += 60.0
    recorder.record("refused", stranger=True, status=403)
    await recorder.start()
    await recorder.stop()
    found = entries(recorder.log)
    assert Counter(each["kind"] for each in found) == {
        "begun": 1, "refused": 2 * STRANGERS_A_MINUTE + 1, "access": 2 * (STRANGERS_A_MINUTE + 30), "gap": 2,
    }  # fmt: skip
    assert [each["lost"] for each in found if each["kind"] == "gap"] == [30, 30]


def test_a_frozen_process_stops_nobody(settings, monkeypatch):
    """While another holds the log and does not go on, that is a problem as a full disk is, and no wait for ever."""
    monkeypatch.setattr(module, "LOCK_SECONDS", 0.02)
    recorder = Recorder(settings)
    recorder.log.append([])
    with (settings.data_dir / "audit" / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        recorder.begin()
        recorder.record("access", status=1)
        wait_until(lambda: PROBLEM in PROBLEMS.current())
        assert "another process holds the audit log" in PROBLEMS.current()[PROBLEM]
    recorder.end()
