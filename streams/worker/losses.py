"""Says aloud that records were deleted before a worker had read them."""

import time
from typing import Final

from schemas.findings import Finding
from schemas.topics import FINDINGS
from streams.findings.finding import about_ourselves
from streams.kafka.publisher import Publisher
from streams.settings import Settings
from streams.worker.reading import Loss


class LossReport:
    """Publishes a finding for each loss; the same loss has the same name, whoever meets it again.

    Parameters
    ----------
    worker
        The kind of worker that had not read them.
    """

    def __init__(self, settings: Settings, publisher: Publisher, worker: str) -> None:
        self._topic: Final = settings.topic(FINDINGS.name)
        self._publisher: Final = publisher
        self._worker: Final = worker

    async def __call__(self, loss: Loss) -> None:
        """Publish a loss."""
        await self._publisher.publish_findings(self._topic, [loss_finding(self._worker, loss, time.time_ns())])


def loss_finding(worker: str, loss: Loss, now: int) -> Finding:
    """Return what on-call engineers are told of a loss."""
    name, (start, end) = f"{loss.topic.name}/{loss.partition}", loss.hole
    return about_ourselves(
        ("lost", worker, loss.topic.topic_id, loss.partition, start),
        "records_lost",
        "reading",
        now,
        f"{end - start} records of {name} ({start} to {end - 1}) were deleted before {worker} had read them; "
        "what it knows of that time is not whole",
        sample_size=end - start,
    )
