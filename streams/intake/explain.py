"""What a record is taken for, what becomes of it, and how each rate counts it and why."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

import msgspec

from schemas.events import Event
from schemas.wire import InvalidRecordError, decoder
from streams.dialects.registry import UnknownDialectError, dialect_named, dialect_of
from streams.dialects.translation import Translation
from streams.identifiers.plans import PERSONS
from streams.intake.doctor import complaints, look_at_events
from streams.intake.reading import Read
from streams.intake.together import together
from streams.watch.counted import Counted, counted

AT_ONCE: Final = 20_000
"""Records that are counted together, so that sessions, versions and verdicts meet; a longer file is told in
blocks, and looked over up to there."""

NO_TIME_OF_ITS_OWN: Final = "it says no time; that of reading stands in, and `watchkeeper import` refuses it"
A_PSEUDONYM: Final = "<a pseudonym>"
NO_TIME: Final = 2**62
"""A moment of writing that no event is ahead of."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One record of the input: its translation, and what each of its events comes to."""

    line: int
    translation: Translation
    counted: tuple[Counted, ...]

    @property
    def refused(self) -> bool:
        """Whether it, or any event of it, is refused."""
        return any(each.refused for each in self.counted)

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, as ``--json`` prints it."""
        return {
            "line": self.line,
            "dialect": self.translation.dialect,
            "events": [_shown(event) for event in self.translation.events],
            "dropped": list(self.translation.dropped),
            "warnings": list(self.translation.warnings),
            "counted": [msgspec.to_builtins(each) for each in self.counted],
        }


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as it is printed: a pseudonym will stand for an address, and its key is not asked for here."""
    return {name: A_PSEUDONYM if name in PERSONS and "@" in str(value) else value for name, value in event.items()}


def explain(records: Iterable[Read], dialect: str | None = None, written_ms: int | None = None) -> Iterator[Explained]:
    """Yield what becomes of records, in their order.

    Parameters
    ----------
    dialect
        The dialect to take them for, where it is not to be told from their shape.
    written_ms
        When they were written, in milliseconds of Unix time; else what each record says itself, else its own time.

    Raises
    ------
    UnknownDialectError
        Where no dialect has that name.
    """
    if dialect is not None:
        dialect_named(dialect)
    waiting = iter(records)
    while block := list(islice(waiting, AT_ONCE)):
        yield from _block(block, dialect, written_ms)


def with_complaints(found: Iterable[Explained]) -> Iterator[Explained]:
    """Yield what was explained, the last with what looks wrong over all of it among its warnings."""
    looked_at: list[dict[str, Any]] = []
    last = None
    for each in found:
        if last is not None:
            yield last
        last = each
        good = [event for event, how in zip(each.translation.events, each.counted, strict=False) if not how.refused]
        if len(looked_at) < AT_ONCE:
            looked_at += good
    if last is not None:
        wrong = tuple(map(str, complaints(look_at_events(looked_at))))
        yield replace(last, translation=replace(last.translation, warnings=(*last.translation.warnings, *wrong)))


def _block(block: Sequence[Read], dialect: str | None, written_ms: int | None) -> Iterator[Explained]:
    translated = together(block, [translated_of(record, dialect) for record in block])
    judged: list[list[Counted | None]] = []
    values: list[bytes] = []
    for record, (translation, refusal) in zip(block, translated, strict=True):
        written = record.written_ms if written_ms is None else written_ms
        found: list[Counted | None] = [refusal] if refusal else []
        for value in _values(record, translation):
            refused = _refused(value, written)
            found.append(refused)
            if refused is None:
                values.append(value)
        judged.append(found)
    results = iter(counted(values))
    for record, (translation, _), found in zip(block, translated, judged, strict=True):
        yield Explained(record.line, translation, tuple(each or next(results) for each in found))


def translated_of(record: Read, dialect: str | None, *, timed: bool = True) -> tuple[Translation, Counted | None]:
    """Return a record's translation, and why it has none where that is so.

    Parameters
    ----------
    timed
        Give what says no time of its own that of reading.
    """
    if record.refused:
        return Translation("none"), Counted(refused=record.refused, detail=record.detail)  # type: ignore[arg-type]
    try:
        taken = dialect_named(dialect) if dialect else dialect_of(record.value)
        translation = taken.translate(record.value)
    except UnknownDialectError as error:
        return Translation("none"), Counted(refused="unknown_dialect", detail=str(error))
    except ValueError as error:
        return Translation("none"), Counted(refused="invalid", detail=f"{taken.name}: {error}")
    return (_timed(translation, record.written_ms) if timed else translation), None


def _timed(translation: Translation, written_ms: int | None) -> Translation:
    """Return a translation in which what has no time of its own has that of reading, so that it can be told at all."""
    if translation.dialect == "canonical" or all("time_unix_nano" in event for event in translation.events):
        return translation
    now = time.time_ns() if written_ms is None else written_ms * 1_000_000
    events = tuple({"time_unix_nano": now} | event for event in translation.events)
    return replace(translation, events=events, warnings=(*translation.warnings, NO_TIME_OF_ITS_OWN))


def _values(record: Read, translation: Translation) -> list[bytes]:
    """Return the events as they would travel: one that is canonical already as it stands, byte by byte."""
    if translation.dialect == "canonical" and record.raw:
        return [record.raw]
    return [msgspec.json.encode(event) for event in translation.events]


_decode = decoder(Event)  # type: ignore[arg-type]


def _refused(value: bytes, written_ms: int | None) -> Counted | None:
    try:
        _decode(value, NO_TIME if written_ms is None else written_ms * 1_000_000)
    except InvalidRecordError as error:
        return Counted(refused=error.reason, detail=str(error))
    return None
