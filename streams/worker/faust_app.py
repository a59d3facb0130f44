"""A Faust app with the settings that lose nothing, and the loop that every worker runs.

One batch is one Faust event is one acknowledgement in order, after the work is durable. An exception in the
work ends the process: Faust would only restart the agent, which then stalls. A supervisor starts it again.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

import faust
import structlog
from aiokafka import ConsumerRecord
from faust.auth import SASLCredentials, SSLCredentials
from faust.types import EventT, StreamT
from mode import CrashingSupervisor

from streams.access.callers import Callers
from streams.kafka.ending import to_its_end
from streams.kafka.log_reader import LogReader
from streams.kafka.password import password
from streams.kafka.topics import TopicState, client_arguments, tls_context
from streams.kafka.transport import DEFAULT_BATCH_RECORDS
from streams.settings import Settings
from streams.tls.asking import address
from streams.tls.doors import door
from streams.worker.background import in_background
from streams.worker.bursts import tell_bursts
from streams.worker.health import Progress
from streams.worker.losses import LossReport
from streams.worker.parts import Parts
from streams.worker.reading import Reading
from streams.worker.sentinel import Sentinel
from streams.worker.watchdog import Watchdog

log: Final = structlog.get_logger()

EVENT_BYTES: Final = 800
"""About one event, for sizing fetches by records."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """All records just fetched of one partition, and how to acknowledge them.

    Attributes
    ----------
    at_once
        Whether its work must end before `take` does, apart from other work: what kills the worker is looked for.
    at_work
        Keeps written down that it is in work, where that goes on behind `take`; as `Sentinel.at_work`.
    """

    topic: TopicState
    partition: int
    records: tuple[ConsumerRecord, ...]
    ack: Callable[[], object]
    at_once: bool = False
    at_work: Callable[..., AbstractContextManager[None]] = lambda **_: nullcontext()

    @property
    def last_offset(self) -> int:
        """Offset of the last record."""
        return int(self.records[-1].offset)

    def without_records(self) -> "LogBatch":
        """Return the batch with its first and last record alone, which say where it is."""
        return replace(self, records=(self.records[0], self.records[-1]))


class TopicGrewError(RuntimeError):
    """A topic has got partitions that the worker does not know: what it would say of them would be wrong."""


class Stage(Protocol):
    """What a worker does with its batches."""

    @property
    def gathers(self) -> bool:
        """Whether `take` only begins the work of a batch, which then ends with that of others, marked by `at_work`."""

    async def start(self) -> None:
        """Connect to what the work needs; called once, before the first batch."""

    async def position(self, topic: TopicState, partition: int) -> int | None:
        """Restore a partition and return the offset that its work goes on with; None where commits say it."""

    async def take(self, batch: LogBatch) -> None:
        """Do the work of a batch, and acknowledge it, or an earlier one, when that work is durable.

        Batches of a partition follow one another without a gap, from its position on.
        """

    async def forget(self) -> None:
        """Drop the state of all partitions: they were assigned anew and start from what was acknowledged."""

    async def stop(self) -> None:
        """Disconnect."""


class WorkerApp(faust.App):
    """A Faust app that hands the batches of its topics to one stage."""

    linger_seconds: float
    batch_records: int

    def holds(self) -> bool:
        """Tell whether it has partitions now."""
        return bool(self.consumer.assignment())


def worker_app(name: str, settings: Settings, port: int, batch_records: int = DEFAULT_BATCH_RECORDS) -> WorkerApp:
    """Return the app of one kind of worker, which reads nothing yet.

    Parameters
    ----------
    name
        Kind of worker; with the topic prefix it is the consumer group.
    port
        Of health and metrics, unless the settings name one.
    batch_records
        From how many records of a partition on a batch is not kept waiting for more.
    """
    app = WorkerApp(
        settings.group(name),
        broker="coalesce://" + settings.kafka.replace(",", ";"),  # ours: what was fetched comes as one event
        broker_credentials=_credentials(settings),
        web_ssl_context=door(settings, "health"),
        datadir=str(settings.data_dir / f"faust-{name}-{settings.instance}"),  # two workers of a kind share no file
        consumer_group_instance_id=f"{name}-{settings.instance}",  # a restart gets its partitions back, no rebalance
        agent_supervisor=CrashingSupervisor,  # the default starts a failed agent again behind its lost batch
        value_serializer="raw",  # stages decode columns, not single records
        topic_allow_declare=False,  # topics are made by `topics create`, with the settings of the contract
        topic_disable_leader=True,  # the leader's assignor topic would be one that nobody asked for
        table_standby_replicas=0,  # no tables of Faust's
        broker_commit_interval=1.0,  # what a killed worker does again: a second of work, not three
        broker_session_timeout=settings.kafka_session_seconds,
        broker_heartbeat_interval=settings.kafka_session_seconds / 4,  # three may get lost before the session ends
        broker_max_poll_records=4 * batch_records,  # unbounded, one fetch of a backlog fills the memory
        consumer_max_fetch_size=max(batch_records * EVENT_BYTES, 4_194_304),  # 1 MiB holds less than a batch
        stream_buffer_maxsize=2,  # events are whole batches: 4,096 of them fill the memory
        stream_wait_empty=False,  # a rebalance need not wait for batches that their next owner takes again
        stream_processing_timeout=3600.0,  # a store that is away for an hour is waited for
        web_bind=settings.host,  # every address is the default
        web_host=settings.host,
        web_port=settings.port or port,
        canonical_url=address(settings, settings.port or port),  # what faust makes of these two is wrong for ::1
        web_application_options={"middlewares": [Callers(settings).middleware()]},
        web_tables_enabled=False,  # pages about what we do not have, open to everybody
        web_router_enabled=False,
    )
    app.linger_seconds = settings.linger_seconds
    app.batch_records = batch_records
    return app


def read(app: WorkerApp, name: str, topics: dict[str, TopicState], stage: Stage, parts: Parts) -> WorkerApp:
    """Have an app hand what comes in the named topics to a stage, and return it."""
    settings, publisher = parts.settings, parts.publisher
    progress = Progress(app, settings)
    progress.serve()
    channel = app.topic(*topics, key_type=bytes, value_type=bytes)
    reading = Reading(app.conf.id, stage, LogReader(client_arguments(settings)), LossReport(settings, publisher, name))
    watchdog = Watchdog(app, settings, topics, reading)
    work = _Work(topics, stage, reading, Sentinel(name, settings), progress)
    app.agent(channel, name=name, concurrency=1)(_loop(work, watchdog, partial(tell_bursts, settings, publisher)))
    return app


def _loop(work: "_Work", watchdog: Watchdog, beside: Callable[[], Coroutine[Any, Any, None]]) -> Callable[..., Any]:
    async def consume(stream: StreamT) -> None:
        watching = asyncio.create_task(watchdog.watch())
        async with work.reading.turn:
            await work.stage.start()
        telling = in_background(beside())
        work.progress.started()
        try:
            async for event in stream.noack().events():
                async with work.reading.turn:
                    await to_its_end(work.take(event))
                work.progress.finished()
        finally:
            watching.cancel()
            telling.cancel()
            await work.progress.stopped()
            await work.stage.stop()

    return consume


@dataclass(frozen=True, slots=True)
class _Work:
    """What lies between the client and the stage: nothing is left out or given twice, and what kills is found."""

    topics: dict[str, TopicState]
    stage: Stage
    reading: Reading
    sentinel: Sentinel
    progress: Progress

    async def take(self, event: EventT) -> None:
        """Hand what an event brings to the stage, record by record where the one before ended."""
        generation = event.app.consumer_generation_id
        if event.message.generation_id != generation:
            return  # partitions were assigned anew, and all of it comes again
        await self.reading.begin(generation)
        batch = _batch(self.topics, event, self.progress)
        if batch.partition >= batch.topic.partitions:
            raise TopicGrewError(
                f"{batch.topic.name} has more partitions than at the start; starting again to know them"
            )
        last: Sequence[ConsumerRecord] = ()
        async for records in self.reading.continued(batch.topic, batch.partition, batch.records):
            if last:
                await self._hand_on(replace(batch, records=tuple(last), ack=_nothing))
            last = records
        if last:
            await self._hand_on(replace(batch, records=tuple(last)))
        else:
            batch.ack()

    async def _hand_on(self, batch: LogBatch) -> None:
        async for piece in self.sentinel.pieces(batch):
            at_work = partial(self.sentinel.at_work, piece.without_records())
            with self.sentinel.at_work(piece, whole=piece.at_once or not self.stage.gathers):
                await self.stage.take(replace(piece, at_work=at_work))


def _nothing() -> None:
    """Acknowledge nothing: the event that brought the records is acknowledged with the last of them."""


def _batch(topics: dict[str, TopicState], event: EventT, progress: Progress) -> LogBatch:
    message = event.message
    records: Final = message.value
    message.value = ()  # an event may stay unacknowledged for long; its bytes need not
    event.value = ()
    event.app.consumer.taken(message.tp, message.offset)
    progress.received(message.tp, len(records), message.offset)

    def ack() -> None:
        event.ack()
        progress.acknowledged(message.tp, message.offset)

    return LogBatch(topics[message.topic], message.partition, records, ack)


def _credentials(settings: Settings) -> SASLCredentials | SSLCredentials | None:
    if settings.kafka_security == "PLAINTEXT":
        return None
    context = tls_context(settings)
    if settings.kafka_security == "SSL":
        return SSLCredentials(context)
    return SASLCredentials(
        username=settings.kafka_username,
        password=password(settings),
        mechanism=settings.kafka_sasl_mechanism,
        ssl_context=context,  # without it Faust would quietly go without TLS
    )
