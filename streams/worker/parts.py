"""What every stage is made from: the settings, its topics, and the app that holds its partitions."""

from collections.abc import Callable
from dataclasses import dataclass

from schemas.topics import CHECKPOINTS, Topic
from streams.kafka.checkpoints import Checkpoints
from streams.kafka.publisher import Publisher
from streams.kafka.topics import TopicState, client_arguments
from streams.settings import Settings


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is given to make its stage from.

    Parameters
    ----------
    topics
        The topics that it needs, by full name, as they were found at the start.
    publisher
        Writes to Kafka; the stage starts and stops it.
    holds
        Tells whether the worker has partitions now.
    """

    settings: Settings
    topics: dict[str, TopicState]
    publisher: Publisher
    holds: Callable[[], bool]

    def topic(self, topic: Topic) -> TopicState:
        """Return a topic as it was found."""
        return self.topics[self.settings.topic(topic.name)]

    def checkpoints(self, worker: str) -> Checkpoints:
        """Return where a worker keeps the state of its partitions."""
        return Checkpoints(self.topic(CHECKPOINTS), worker, client_arguments(self.settings), self.publisher)
