"""A worker that dies, for real and without a word, of every record that says poison; run as a process of its own."""

import os
import signal
import sys
from pathlib import Path

import faust

from schemas.topics import INFERENCE
from streams.kafka.publisher import Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.settings import load
from streams.worker.faust_app import LogBatch, read, worker_app
from streams.worker.parts import Parts
from tests.support.recorder import Recorder


class Mortal(Recorder):
    """Writes down what it takes, unless it dies of it."""

    async def take(self, batch: LogBatch) -> None:
        """Die, or record a batch."""
        if any(b"poison" in (record.value or b"") for record in batch.records):
            os.kill(os.getpid(), signal.SIGKILL)
        await super().take(batch)


def main(kafka: str, prefix: str, port: str, out: str) -> None:
    """Run the worker."""
    settings = load(kafka=kafka, topic_prefix=prefix, kafka_session_seconds=3, data_dir=Path(out).parent)
    topics = check_topics(settings, [INFERENCE])
    app = worker_app("mortal", settings, int(port))
    parts = Parts(settings, topics, publisher := Publisher(client_arguments(settings)), app.holds)
    read(app, "mortal", topics, Mortal(Path(out), -1, publisher), parts)
    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


if __name__ == "__main__":
    main(*sys.argv[1:])
