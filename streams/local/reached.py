"""A Kafka that answers: the one that settings name, or the one of this machine, started for the while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from streams.kafka.topics import KafkaUnavailableError, admin
from streams.local.broker import Broker
from streams.settings import Settings

FOLDER: Final = "kafka"
"""Where in the data folder a broker of this machine keeps its data."""


@contextmanager
def reached(settings: Settings, say: Callable[[str], object], *, new: bool = False) -> Iterator[Settings]:
    """Give settings whose Kafka answers.

    Parameters
    ----------
    say
        Is told where a broker is started.
    new
        Whether one is started also where there was none, for an installation that begins.

    Raises
    ------
    KafkaUnavailableError
        Where no broker answers and there is none of this machine to start.
    """
    try:
        with admin(settings):
            pass
    except KafkaUnavailableError:
        folder = settings.data_dir / FOLDER
        if not (folder / "log").exists() and not new:
            raise
    else:
        yield settings
        return
    broker = Broker(folder)
    say(f"no Kafka answers at {settings.kafka}; starting the one of {folder}")
    broker.start(say)
    try:
        yield settings.model_copy(update={"kafka": broker.address})
    finally:
        broker.stop()
