"""Finds the record that a worker dies of, by what was in work whenever it died, and sets it aside.

Before each batch the worker writes down which offsets it takes in hand, and strikes them out when it is done. A
worker that starts and finds them there has died of them, or only while it had them. So they are watched: taken by
themselves the next time; after a second death in parts, each of them written down; until it is one record. When that
has killed the worker twice more by itself, it becomes a dead letter, people are told, and the work goes on.

The mark is written without waiting for the disk: what is written survives the death of a process.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from aiokafka.errors import KafkaError

from schemas.topics import DEAD_LETTERS, FINDINGS
from streams.events.records import Refused
from streams.findings.finding import about_ourselves
from streams.health.metrics import SET_ASIDE
from streams.kafka.publisher import Publisher
from streams.kafka.topics import client_arguments
from streams.settings import Settings
from streams.worker.dead_letters import dead_letter, owner_of

if TYPE_CHECKING:
    from streams.worker.faust_app import LogBatch

log: Final = structlog.get_logger()

PARTS: Final = 150
"""Of a range that has killed twice: two such steps lead from the largest batch to a record."""

DEATHS_ALONE: Final = 2
"""Of a single record, before it is set aside, where the worker has done other work in the meantime."""

DEATHS_OF_ALL: Final = 6
"""The same, where the worker has done nothing else since: then it may be the worker that is ill."""

MARK_BYTES: Final = 1 << 16
_END: Final = "-"
_KEPT: Final = 10_000


class Suspicion(msgspec.Struct):
    """Offsets that a worker had in work when it died; `alone` counts the deaths since they are one record."""

    topic_id: str
    partition: int
    first: int
    last: int
    deaths: int = 1
    alone: int = 0
    others_pass: bool = False

    def meets(self, topic_id: str, partition: int, first: int, last: int) -> bool:
        """Tell whether a range shares offsets with this one."""
        return (topic_id, partition) == (self.topic_id, self.partition) and first <= self.last and self.first <= last


class _Memory(msgspec.Struct):
    """What outlives the process."""

    suspicions: list[Suspicion] = []
    aside: list[tuple[str, int, int]] = []


class Sentinel:
    """The marks of one worker.

    Parameters
    ----------
    worker
        Its kind; with the instance it names the files in the data folder.
    """

    def __init__(self, worker: str, settings: Settings) -> None:
        self._worker: Final = worker
        self._settings: Final = settings
        folder = settings.data_dir / f"sentinel-{worker}-{settings.instance}"
        folder.mkdir(parents=True, exist_ok=True)
        self._path: Final = folder / "memory"
        self._mark: Final = os.open(folder / "in-work", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._memory = _read_memory(self._path)
        self._in_work: dict[object, str] = {}
        self._died()

    def _died(self) -> None:
        """Note what a predecessor had in work when it died."""
        marks = os.pread(self._mark, MARK_BYTES, 0).decode(errors="replace").splitlines()
        for mark in map(str.split, takewhile(_END.__ne__, marks)):
            if len(mark) == 4 and all(part.isdecimal() for part in mark[1:]):
                self._suspect(mark[0], *map(int, mark[1:]))
        self._save()
        self._write_marks()

    def _suspect(self, topic_id: str, partition: int, first: int, last: int) -> None:
        found = next((each for each in self._memory.suspicions if each.meets(topic_id, partition, first, last)), None)
        if found is None:
            found = Suspicion(topic_id, partition, first, last)
            self._memory.suspicions.append(found)
        else:
            found.first, found.last = max(first, found.first), min(last, found.last)
            found.deaths += 1
        found.alone += found.first == found.last
        log.warning("died with records in work", worker=self._worker, **msgspec.structs.asdict(found))

    async def pieces(self, batch: "LogBatch") -> AsyncIterator["LogBatch"]:
        """Yield a batch in the pieces in which it is to be taken: nearly always itself.

        A record that is set aside is in none of them. The batch is acknowledged when all of them are.
        """
        if not self._memory.suspicions and not self._memory.aside:
            yield batch
            return
        await self._set_aside(batch)
        gone = {offset for *place, offset in self._memory.aside if place == [batch.topic.topic_id, batch.partition]}
        cuts = self._cuts(batch)
        groups: dict[int, list[Any]] = {}
        for record in batch.records:
            if record.offset not in gone:
                groups.setdefault(sum(cut <= record.offset for cut in cuts), []).append(record)
        if not groups:
            batch.ack()
        waiting = set(groups)
        for number, records in sorted(groups.items()):
            place = batch.topic.topic_id, batch.partition, records[0].offset, records[-1].offset
            suspected = any(each.meets(*place) for each in self._memory.suspicions)
            yield replace(batch, records=tuple(records), ack=partial(_ack, batch, waiting, number), at_once=suspected)

    @contextmanager
    def at_work(self, batch: "LogBatch", *, whole: bool = True) -> Iterator[None]:
        """Keep written down what is in work, until it is done or the worker stops in good order.

        Parameters
        ----------
        whole
            Whether the work of the batch is done then: not where it only waits for the rest.
        """
        place = batch.topic.topic_id, batch.partition, int(batch.records[0].offset), batch.last_offset
        mark = object()
        self._in_work[mark] = " ".join(map(str, place))
        self._write_marks()
        try:
            yield
        except (OSError, KafkaError, asyncio.CancelledError, KeyboardInterrupt):
            self._strike(mark)  # what is wrong is elsewhere; any other error is as good as a death
            raise
        self._strike(mark)
        if whole and self._memory.suspicions:
            self._passed(*place)

    def _strike(self, mark: object) -> None:
        del self._in_work[mark]
        self._write_marks()

    def _passed(self, topic_id: str, partition: int, first: int, last: int) -> None:
        """Clear those offsets of suspicion; pieces are taken in order."""
        for each in self._memory.suspicions:
            if each.meets(topic_id, partition, first, last) or (
                (each.topic_id, each.partition) == (topic_id, partition) and each.last < first
            ):
                each.first = last + 1
            else:
                each.others_pass = True
        self._memory.suspicions = [each for each in self._memory.suspicions if each.first <= each.last]
        self._save()

    def _cuts(self, batch: "LogBatch") -> list[int]:
        """Return the offsets at which a new piece begins."""
        cuts: set[int] = set()
        for each in self._memory.suspicions:
            if each.meets(batch.topic.topic_id, batch.partition, int(batch.records[0].offset), batch.last_offset):
                step = max(-(-(each.last - each.first + 1) // PARTS), 1)
                cuts |= {each.first, each.last + 1}
                cuts |= set(range(each.first, each.last + 1, step)) if each.deaths > 1 else set()
        return sorted(cuts)

    async def _set_aside(self, batch: "LogBatch") -> None:
        """Make dead letters of the records of a batch that are known to kill."""
        for each in list(self._memory.suspicions):
            needed = DEATHS_ALONE if each.others_pass else DEATHS_OF_ALL
            place = (each.topic_id, each.partition)
            if each.alone < needed or place != (batch.topic.topic_id, batch.partition):
                continue
            at = next((at for at, record in enumerate(batch.records) if record.offset == each.first), None)
            if at is None:
                continue
            await self._tell(batch, at, each.deaths)
            self._memory.suspicions.remove(each)
            self._memory.aside = [*self._memory.aside, (*place, each.first)][-_KEPT:]
            self._save()

    async def _tell(self, batch: "LogBatch", at: int, deaths: int) -> None:
        record = batch.records[at]
        where = f"{batch.topic.name}/{batch.partition}/{record.offset}"
        owner = owner_of(record, batch.partition)
        detail = f"the {self._worker} worker died {deaths} times with it in work, and goes on without it"
        letter = dead_letter(self._settings.topic(DEAD_LETTERS.name), batch, Refused(at, "kills_worker", detail))
        finding = about_ourselves(
            ("telemetry", "kills_worker", self._worker, batch.topic.topic_id, where),
            "kills_worker",
            "sentinel",
            record.timestamp * 1_000_000,
            f"record {where} of {owner[:100]} kills the {self._worker} worker; it is among the dead letters",
            verdict="kills_worker",
        )
        publisher = Publisher(client_arguments(self._settings))
        await publisher.start()
        try:
            await publisher.publish([letter])
            await publisher.publish_findings(self._settings.topic(FINDINGS.name), [finding])
        finally:
            await publisher.stop()
        SET_ASIDE.labels(batch.topic.name).inc()
        log.error("a record kills the worker and is set aside", worker=self._worker, record=where, deaths=deaths)

    def _write_marks(self) -> None:
        """Write down all that is in work; what stands behind the end is of an earlier time."""
        marks = "".join(f"{mark}\n" for mark in dict.fromkeys(self._in_work.values()))
        os.pwrite(self._mark, f"{marks}{_END}\n".encode(), 0)

    def _save(self) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(self._memory))
        beside.replace(self._path)


def _ack(batch: "LogBatch", waiting: set[int], number: int) -> None:
    """Acknowledge a piece, and with the last of them the batch."""
    waiting.discard(number)
    if not waiting:
        batch.ack()


def _read_memory(path: Path) -> _Memory:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Memory)
    except (FileNotFoundError, msgspec.DecodeError):
        return _Memory()
