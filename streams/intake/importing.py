"""Files of anybody's telemetry into Kafka: in order, durable block by block, and taken up where it was left."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.emitter import routing_key
from schemas.events import Event
from schemas.identity import identity
from schemas.topics import INFERENCE
from schemas.wire import InvalidRecordError, decoder
from streams.dialects.registry import dialect_named
from streams.intake.explain import translated_of
from streams.intake.reading import Read, read_file
from streams.intake.together import together
from streams.kafka.publisher import Message, Publisher
from streams.kafka.sending import message
from streams.kafka.topics import check_topics, client_arguments
from streams.settings import Settings

AT_ONCE: Final = 1_000
"""Records that are sent and then durable together; a new start repeats one block at most."""

Progress = Callable[[int, int, int], None]
"""``progress(records, events, refused)`` so far, of one file."""


@dataclass(slots=True)
class Imported:
    """What became of a file: records read, of them taken over from an earlier start, events sent, records refused."""

    name: str
    records: int = 0
    earlier: int = 0
    events: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Refusal:
    line: int
    reason: str
    detail: str
    record: str


_decode = decoder(Event)  # type: ignore[arg-type]


class Importer:
    """Imports one file.

    Beside the file stand, where needed, ``.progress`` with how far it is, and ``.refused.jsonl`` with every record
    that could not be taken, its line and why.

    Parameters
    ----------
    name
        The file; ``-`` is the standard input, which always begins anew.
    dialect
        What to take its records for; None tells it from their shape.
    service
        The service of all its events; None leaves what the records say.
    """

    def __init__(self, settings: Settings, name: str, dialect: str | None = None, service: str | None = None) -> None:
        if dialect is not None:
            dialect_named(dialect)
        self._settings: Final = settings
        self._dialect: Final = dialect
        self._service: Final = service
        self._progress: Final = None if name == "-" else Path(f"{name}.progress")
        self.refusals: Final = Path("input.refused.jsonl" if name == "-" else f"{name}.refused.jsonl")
        self.done: Final = Imported(name)

    def run(self, progress: Progress = lambda *_: None) -> Imported:
        """Send everything that is not in Kafka yet, and return what became of the file.

        Raises
        ------
        UnreadableFileError
            Where the file cannot be read; what was read before is in Kafka.
        KafkaUnavailableError, TopicError
            Where Kafka or the topic is not there.
        """
        check_topics(self._settings, [INFERENCE])
        self.done.earlier = self.done.records = self._begun()
        if not self.done.earlier:
            self.refusals.unlink(missing_ok=True)
        asyncio.run(self._run(progress))
        if self._progress:
            self._progress.unlink(missing_ok=True)
        return self.done

    async def _run(self, progress: Progress) -> None:
        publisher = Publisher(client_arguments(self._settings))
        await publisher.start()
        try:
            records = islice(read_file(self.done.name), self.done.earlier, None)
            while block := list(islice(records, AT_ONCE)):
                messages, refused = self._block(block)
                await publisher.publish(messages)
                self._keep(refused)
                self.done.records += len(block)
                self.done.events += len(messages)
                self.done.refused += len(refused)
                self._note()
                progress(self.done.records, self.done.events, self.done.refused)
        finally:
            await publisher.stop()

    def _block(self, block: list[Read]) -> tuple[list[Message], list[_Refusal]]:
        messages: list[Message] = []
        refused: list[_Refusal] = []
        found = together(block, [translated_of(record, self._dialect, timed=False) for record in block])
        for record, (translation, refusal) in zip(block, found, strict=True):
            if refusal:
                refused.append(_Refusal(record.line, str(refusal.refused), refusal.detail, _text(record)))
            for event in translation.events:
                try:
                    messages.append(self._message(event))
                except InvalidRecordError as error:
                    refused.append(_Refusal(record.line, error.reason, str(error), _text(record)))
        return messages, refused

    def _message(self, plain: dict[str, Any]) -> Message:
        if self._service:
            plain = plain | {"service_name": self._service}
        event = _decode(msgspec.json.encode(plain), time.time_ns())
        key = routing_key(event)  # type: ignore[arg-type]
        return message(self._settings, INFERENCE, event, key.decode())

    def _keep(self, refused: list[_Refusal]) -> None:
        if refused:
            with open(self.refusals, "ab", opener=_private) as file:
                file.write(msgspec.json.Encoder().encode_lines(refused))

    def _begun(self) -> int:
        """Return how many records of the very same file are in Kafka already."""
        if self._progress is None:
            return 0
        with suppress(OSError, ValueError, KeyError, TypeError):
            noted = json.loads(self._progress.read_text())
            if noted["of"] == self._identity():
                return int(noted["records"])
        return 0

    def _note(self) -> None:
        if self._progress is not None:
            fresh = self._progress.with_name(f"{self._progress.name}.new")
            fresh.write_text(json.dumps({"of": self._identity(), "records": self.done.records}))
            fresh.replace(self._progress)

    def _identity(self) -> str:
        size = Path(self.done.name).stat()
        return identity(size.st_size, size.st_mtime_ns, self._dialect, self._service, AT_ONCE)


def _private(path: str, flags: int) -> int:
    """Open a file that its owner alone reads: a refused record may hold anything."""
    return os.open(path, flags, 0o600)


def _text(record: Read) -> str:
    return record.raw.decode(errors="replace")
