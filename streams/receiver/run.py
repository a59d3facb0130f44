"""The receiver in a process of its own: a worker that is killed or busy takes nothing away from those who send."""

import asyncio
import contextlib
import signal
from typing import Final

import structlog
from aiokafka.errors import KafkaError

from schemas.topics import RAW
from streams.access.hosts import loopback
from streams.api.server import Server
from streams.audit.recorder import Recorder
from streams.audit.requests import Recorded
from streams.health.problems import PROBLEMS
from streams.kafka.publisher import Publisher
from streams.kafka.reach import NAME, KafkaWatch
from streams.kafka.topics import check_topics, client_arguments
from streams.receiver.app import DOOR, Receiver, receiver_app
from streams.settings import Settings, SettingsError
from streams.tls.asking import address
from streams.tls.doors import door
from streams.worker.background import in_background

log: Final = structlog.get_logger()


def run_receiver(settings: Settings) -> None:
    """Receive until SIGINT or SIGTERM.

    Raises
    ------
    SettingsError
        Where others than this machine could send and there is no token.
    KafkaUnavailableError, TopicError
        Where Kafka does not answer, or topics are missing; the message says what to do.
    ValueError
        Where the port is taken, with the setting that moves it.
    """
    if not loopback(settings.host) and not settings.otlp_token.get_secret_value():
        raise SettingsError(
            f"WATCHKEEPER_HOST={settings.host} would let anyone who reaches this machine send telemetry: give a token "
            "in WATCHKEEPER_OTLP_TOKEN, or in a file watchkeeper_otlp_token among the secrets"
        )
    check_topics(settings, RAW)
    asyncio.run(_receive(settings))


async def _receive(settings: Settings) -> None:
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    publisher, kafka = Publisher(client_arguments(settings)), KafkaWatch(settings)
    await publisher.start()
    watching = in_background(kafka.watch())
    app = receiver_app(settings, Receiver(settings, publisher), lambda: NAME not in PROBLEMS.current())
    recorder = Recorder(settings)
    app.add_middleware(Recorded, recorder=recorder, door=DOOR, refusals=True)
    recorder.begin()
    server = Server(app, settings.host, settings.otlp_port, "WATCHKEEPER_OTLP_PORT", door(settings, DOOR))
    try:
        await server.start()
        log.info("receiving OTLP", url=address(settings, settings.otlp_port))
        await asked.wait()
    finally:
        await server.stop()
        await recorder.stop()
        watching.cancel()
        with contextlib.suppress(KafkaError):
            await publisher.stop()
        await kafka.close()
