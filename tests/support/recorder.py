"""A worker whose stage writes down what it sees; run by the tests as a process of its own."""

import random
import sys
from pathlib import Path

import faust

from schemas.topics import INFERENCE
from streams.kafka.publisher import Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.kafka.transport import CoalescedRecord, Consumer
from streams.settings import load
from streams.worker import watchdog
from streams.worker.faust_app import LogBatch, read, worker_app
from streams.worker.parts import Parts


class Recorder:
    """Writes partition and offset of each record to a file, then acknowledges; fails before one offset."""

    gathers = False

    def __init__(self, out: Path, fail_at: int, publisher: Publisher) -> None:
        self._out, self._fail_at, self._publisher = out, fail_at, publisher

    async def start(self) -> None:
        """Connect."""
        await self._publisher.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._publisher.stop()

    async def forget(self) -> None:
        """Do nothing."""

    async def position(self, topic, partition):
        """Go on with what is committed."""

    async def take(self, batch: LogBatch) -> None:
        """Record a batch, or fail."""
        if 0 <= self._fail_at <= batch.last_offset:
            raise RuntimeError("planted")
        with self._out.open("a") as out:
            out.writelines(f"{batch.partition} {record.offset}\n" for record in batch.records)
        batch.ack()


def be_unruly(seed: int) -> None:
    """Have the client lose batches, repeat them, give only their ends and fail to commit: partitions move."""
    rng, fetch, commit, before = random.Random(seed), Consumer._getmany, Consumer._commit, {}
    watchdog.CHECK_SECONDS, watchdog.HEAL_SECONDS = 0.2, 1.0

    async def unruly(self, active_partitions, timeout):  # noqa: ASYNC109
        found = {}
        for tp, (batch,) in (await fetch(self, active_partitions, timeout)).items():
            fate = rng.choice(["lost", "again", "end", "as it is"])
            records = before.get(tp, []) if fate == "again" else list(batch.value)
            records = records[len(records) // 2 :] if fate == "end" else records
            before[tp] = list(batch.value)
            if records and fate != "lost":
                found[tp] = [CoalescedRecord(records)]
        return found

    async def refused(self, offsets):
        return rng.random() < 0.3 and await commit(self, offsets)

    Consumer._getmany, Consumer._commit = unruly, refused


def main(kafka: str, prefix: str, port: str, out: str, fail_at: str, seed: str = "") -> None:
    """Run the worker."""
    if seed:
        be_unruly(int(seed))
    settings = load(kafka=kafka, topic_prefix=prefix, kafka_session_seconds=3, data_dir=Path(out).parent)
    topics = check_topics(settings, [INFERENCE])
    app = worker_app("recorder", settings, int(port))
    parts = Parts(settings, topics, publisher := Publisher(client_arguments(settings)), app.holds)
    read(app, "recorder", topics, Recorder(Path(out), int(fail_at), publisher), parts)
    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
