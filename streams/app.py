"""The four workers, wired. Read this first.

```
inference.v1 ──► History ──► ClickHouse          every topic, each record once
inference.v1 ──► Watch   ──► windows.v1          sums per tick; severe events at once to findings.v1
windows.v1   ──► Detect  ──► findings.v1         detectors over the sums
findings.v1  ──► Incidents ► incidents.v1        with what people and delivery systems say: actions and changes
```

An event is decoded in `streams.events.decode`, counted in `streams.watch.counting` and `streams.watch.reduce`, judged
in `streams.detect.judge` with `detectors`, stored by `streams.history.writer`, and answered for by `streams.incidents`.
"""

from functools import partial
from typing import Final, Literal

from schemas.topics import CHECKPOINTS, INFERENCE, WINDOWS, Topic
from streams.api import changes as changes_api
from streams.api import controls as controls_api
from streams.api import reviews as review_api
from streams.api.incidents import Server, api
from streams.detect import worker as detect
from streams.history import worker as history
from streams.incidents import worker as incidents
from streams.incidents.gauges import Gauges
from streams.kafka.checkpoints import Checkpoints
from streams.kafka.log_reader import LogReader
from streams.kafka.publisher import Publisher
from streams.kafka.topics import TopicState, check_topics, client_arguments
from streams.settings import Settings
from streams.store.client import connect
from streams.watch import worker as watch
from streams.watch.marks import Marks
from streams.worker.faust_app import Stage, WorkerApp, build
from streams.worker.plausible import Plausible

Worker = Literal["history", "watch", "detect", "incidents"]

READS: Final[dict[Worker, tuple[Topic, ...]]] = {
    "history": history.TOPICS,
    "watch": watch.TOPICS,
    "detect": detect.TOPICS,
    "incidents": incidents.TOPICS,
}
NEEDS: Final[dict[Worker, tuple[Topic, ...]]] = {
    "history": history.TOPICS,
    "watch": (*watch.NEEDED, CHECKPOINTS),
    "detect": (*detect.NEEDED, CHECKPOINTS),
    "incidents": incidents.NEEDED,
}
BATCH_RECORDS: Final[dict[Worker, int]] = {"history": 20_000, "watch": 4_000, "detect": 1_000, "incidents": 2_000}
"""An insert costs the same for a few rows as for many, so history would rather have many."""


def worker(name: Worker, settings: Settings) -> WorkerApp:
    """Return the app of a worker, its topics checked.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where it could not run; the message says what to do.
    """
    topics = check_topics(settings, NEEDS[name])
    reads = {settings.topic(topic.name): topics[settings.topic(topic.name)] for topic in READS[name]}
    publisher = Publisher(client_arguments(settings))
    work = stage(name, settings, topics, publisher)
    app = build(name, settings, reads, work, publisher, settings.worker_port(name), BATCH_RECORDS[name])
    if isinstance(work, incidents.Incidents):
        work.owns = lambda: bool(app.consumer.assignment())
    return app


def stage(name: Worker, settings: Settings, topics: dict[str, TopicState], publisher: Publisher) -> Stage:
    """Return what a worker does with its batches."""
    if name == "history":
        return history.History(settings, publisher, partial(connect, settings), _plausible(settings, topics))
    if name == "incidents":
        work = incidents.Incidents(settings, publisher, topics)
        routers = [each.router(settings, publisher) for each in (changes_api, controls_api, review_api)]
        work.beside = [Server(api(work, *routers), settings.host, settings.api_port), Gauges(work)]
        return work
    checkpoints = Checkpoints(topics[settings.topic(CHECKPOINTS.name)], name, client_arguments(settings), publisher)
    if name == "watch":
        windows = topics[settings.topic(watch.WINDOWS_TOPIC.name)]
        marks = Marks(settings, publisher, LogReader(client_arguments(settings)))
        return watch.Watch(settings, publisher, checkpoints, windows, marks)
    return detect.Detect(settings, publisher, checkpoints, _plausible(settings, topics))


def _plausible(settings: Settings, topics: dict[str, TopicState]) -> Plausible:
    name = settings.topic(INFERENCE.name)
    windows = topics[settings.topic(WINDOWS.name)]
    return Plausible(
        settings.tick_seconds,
        topics[name],
        windows,
        lambda: check_topics(settings, [INFERENCE]).get(name, topics[name]),
    )
