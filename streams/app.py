"""The five workers, wired. Read this first.

```
otlp_spans, otlp_logs ──► Normalise ──► inference.v1   what OpenTelemetry's instrumentations and others say
inference.v1 ──► History ──► ClickHouse          every topic, each record once
inference.v1 ──► Watch   ──► windows.v1          sums per tick; severe events at once to findings.v1
windows.v1   ──► Detect  ──► findings.v1         detectors over the sums
findings.v1  ──► Incidents ► incidents.v1        with what people and delivery systems say: actions and changes
```

Spans are translated in `streams.dialects`. An event is decoded in `streams.events.decode`, counted in
`streams.watch.counting` and `streams.watch.reduce`, judged in `streams.detect.judge` with `detectors`, stored by
`streams.history.writer`, and answered for by `streams.incidents`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from schemas.topics import Topic
from streams.kafka.publisher import Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.settings import Settings
from streams.worker.faust_app import Stage, WorkerApp, read, worker_app
from streams.worker.parts import Parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streams.incidents.worker import Companion, Incidents

Worker = Literal["history", "watch", "detect", "incidents", "normalise"]
WORKERS: Final[tuple[Worker, ...]] = get_args(Worker)


def module(name: Worker) -> Any:
    """Return `streams.NAME.worker`, loaded now: a process of one worker need not hold what the others need."""
    return import_module(f"streams.{name}.worker")


def reads(name: Worker) -> tuple[Topic, ...]:
    """Return the topics that a worker reads."""
    topics: tuple[Topic, ...] = module(name).TOPICS
    return topics


def worker(name: Worker, settings: Settings) -> WorkerApp:
    """Return the app of a worker, its topics checked.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where it could not run; the message says what to do.
    """
    more = module(name).named_topics(settings) if name == "normalise" else ()
    topics = check_topics(settings, (*module(name).NEEDED, *more))
    app = worker_app(name, settings, settings.worker_port(name), module(name).BATCH_RECORDS)
    parts = Parts(settings, topics, Publisher(client_arguments(settings)), app.holds)
    read_here = {topic.name: topic for topic in map(parts.topic, (*reads(name), *more))}
    return read(app, name, read_here, stage(name, parts), parts)


def stage(name: Worker, parts: Parts) -> Stage:
    """Return what a worker does with its batches."""
    made: Stage = module(name).Incidents(parts, _beside) if name == "incidents" else module(name).stage(parts)
    return made


def _beside(work: "Incidents") -> "Sequence[Companion]":
    """Return what runs in the process of the incidents worker, because it asks what the worker holds."""
    from streams.api import approvals, changes, controls, erasures, policies, reviews, triage
    from streams.api.incidents import api
    from streams.api.server import Server
    from streams.audit.wiring import recorded
    from streams.console.app import add_console
    from streams.incidents.gauges import Gauges
    from streams.incidents.heartbeat import Heartbeat
    from streams.tls.doors import door

    settings, publisher = work.settings, work.publisher
    routers = [
        each.router(settings, publisher, work.approvals) for each in (changes, controls, triage, erasures, policies)
    ]
    served = api(work, *routers, approvals.router(work), reviews.router(settings, publisher, work.leases))
    console = add_console(served, work)
    return [
        *recorded(served, settings, publisher, work.policy),
        Server(served, settings.host, settings.api_port, tls=door(settings, "api")),
        Gauges(work),
        Heartbeat(settings, work.owns),
        *console,
    ]
