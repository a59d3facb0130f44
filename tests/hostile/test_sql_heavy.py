"""Heavy questions to the SQL endpoint: small ones pass them, memory and time are bounded, the writer goes on."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pytest
import requests

from streams.settings import load
from streams.sql.errors import CANCELLED, MEMORY_LIMIT, SqlError
from streams.sql.lanes import MOST_WAITING, QUICK, SLOW, Lane, Lanes
from streams.sql.reader import Answer, Limits
from streams.sql.request import Asked
from streams.sql.server import Endpoint
from streams.store.client import connect

pytestmark = pytest.mark.store

LIMITS = Limits(seconds=3, memory_bytes=2**28, quick_memory_bytes=2**26)
HEAVY = (
    "SELECT groupArray(toString(number)) FROM numbers(1000000000)",
    "SELECT sum(sipHash64(number)) FROM numbers_mt(1000000000000)",
    "SELECT count() FROM numbers(3000000000) GROUP BY number % 100000000",
    "SELECT sum(arraySum(x -> sipHash64(x), range(9000000))) FROM numbers(1000)",
)


@pytest.fixture(scope="module")
def house(store_path):
    """A running endpoint, and the client that writes beside it."""
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database="hostile_heavy", sql_port=0)
    with connect(settings) as client:
        client.command("CREATE TABLE rows (a UInt64, b String) ENGINE = MergeTree ORDER BY a")
        endpoint = Endpoint(settings, LIMITS)
        endpoint.start()
        yield endpoint, client
        endpoint.stop()


def ask(endpoint, query):
    """Return the answer to a question and how long it took."""
    begin = time.monotonic()
    answer = requests.post(f"http://127.0.0.1:{endpoint.port}/", data=query.encode(), timeout=120)
    return answer, time.monotonic() - begin


def resident():
    """Return the bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def inserted(client, seconds=3.0):
    """Return how many batches of rows are written in some seconds."""
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        client.insert("rows", [[number, "x" * 100] for number in range(500)], column_names=["a", "b"])
        count += 1
    return count


def test_small_questions_pass_eight_heavy_ones_and_the_writer_goes_on(house):
    """Beside twice four heavy questions small ones are answered, memory stays in its bound, rows are written."""
    endpoint, client = house
    alone, before = inserted(client), resident()
    with ThreadPoolExecutor(8) as pool:
        heavy = [pool.submit(ask, endpoint, query) for query in HEAVY * 2]
        time.sleep(1.0)
        small, running = [], 0
        for number in range(20):
            small.append(ask(endpoint, f"SELECT {number}"))
            running = max(running, sum(not each.done() for each in heavy))
        beside = inserted(client)
        most = max(resident() for _ in range(20) if time.sleep(0.1) is None)
        ended = [each.result() for each in heavy]
    assert [answer.text for answer, _ in small] == [f"{number}\n" for number in range(20)]
    assert median(seconds for _, seconds in small) < LIMITS.seconds  # none waits for a heavy one
    assert running
    assert beside > alone / 10
    assert most - before < QUICK * LIMITS.quick_memory_bytes + SLOW * LIMITS.memory_bytes + 2**29
    assert {answer.status_code for answer, _ in ended} <= {200, 408, 500, 503}
    assert all(answer.text.startswith("Code: ") for answer, _ in ended if answer.status_code != 200)
    assert max(seconds for _, seconds in ended) < 90


def test_one_long_call_is_bounded_by_the_size_of_what_it_works_on(house):
    """A call of a function cannot be stopped, so `range` makes no endless array, and blocks keep their size."""
    endpoint, _ = house
    answer, _ = ask(endpoint, "SELECT length(arrayMap(x -> sipHash64(x), range(100000000)))")
    assert answer.text.startswith("Code: 69. ")
    url = f"http://127.0.0.1:{endpoint.port}/?max_block_size=100000000"
    answer = requests.post(url, data=b"SELECT max(blockSize()) FROM numbers(1000000)", timeout=60)
    assert int(answer.text) <= 65_409


class Engine:
    """Answers questions that say how many seconds or bytes they need."""

    def __init__(self):
        self.stopped = set()
        self.most = self.now = 0
        self.lock = threading.Lock()

    def run(self, asked, ticket, memory_bytes):
        """Work for as long as the question says, unless it is stopped."""
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            need, _, size = asked.query.partition(" ")
            if int(size or 0) > memory_bytes:
                raise SqlError("memory", MEMORY_LIMIT)
            end = time.monotonic() + float(need)
            while time.monotonic() < end:
                if ticket in self.stopped:
                    raise SqlError("stopped", CANCELLED)
                time.sleep(0.01)
            return Answer(asked.query.encode(), "CSV", {})
        finally:
            with self.lock:
                self.now -= 1

    def stop(self, ticket):
        """Stop a question."""
        self.stopped.add(ticket)


def test_all_long_questions_are_answered_and_no_more_run_than_there_are_slots():
    """Long questions beyond the slots wait, start again and are answered; a short one passes them all."""
    engine = Engine()

    async def ask_all():
        lanes = Lanes(engine, LIMITS)
        long = [asyncio.create_task(lanes.answer(Asked("1.2"), f"c{number}")) for number in range(6)]
        await asyncio.sleep(1.1)
        begin = time.monotonic()
        await lanes.answer(Asked("0"), "other")
        took, waiting = time.monotonic() - begin, sum(not each.done() for each in long)
        big = await lanes.answer(Asked(f"0 {LIMITS.memory_bytes}"), "other")
        with pytest.raises(SqlError, match="memory"):
            await lanes.answer(Asked(f"0 {LIMITS.memory_bytes + 1}"), "other")
        return took, waiting, big, await asyncio.gather(*long)

    took, waiting, big, answers = asyncio.run(ask_all())
    assert took < 1.0
    assert waiting >= 4
    assert big.body
    assert [each.body for each in answers] == [b"1.2"] * 6
    assert engine.most <= QUICK + SLOW


def test_clients_take_turns_and_a_full_queue_says_so():
    """One client's many questions let another's first one pass; who goes away leaves its turn to others."""

    async def queue():
        lane, order = Lane(1), []

        async def one(client):
            await lane.enter(client)
            order.append(client)
            await asyncio.sleep(0)
            lane.leave()

        await lane.enter("first")
        tasks = [asyncio.create_task(one(client)) for client in ["greedy"] * (MOST_WAITING - 2) + ["modest", "gone"]]
        await asyncio.sleep(0)
        with pytest.raises(SqlError) as full:
            await lane.enter("late")
        tasks[-1].cancel()
        lane.leave()
        await asyncio.gather(*tasks, return_exceptions=True)
        return full.value, order, lane.take()

    full, order, free = asyncio.run(queue())
    assert (full.code, full.status) == (202, 503)
    assert order.index("modest") == 1
    assert len(order) == MOST_WAITING - 1
    assert free
