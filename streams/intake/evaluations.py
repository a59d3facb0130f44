"""Files of evaluation tools into Kafka: what suites found of a version, by hazard."""

import time
from typing import Any

import msgspec

from schemas.evaluations import EvaluationRun
from schemas.topics import EVALUATIONS
from schemas.wire import InvalidRecordError, decoder
from streams.dialects.evaluations import READERS
from streams.intake.reading import UnreadableFileError, read_file
from streams.kafka.sending import message, send_all
from streams.settings import Settings

_decode = decoder(EvaluationRun)


def read_evaluations(
    name: str, tool: str, service: str, *, model: str = "", category: str = "", higher_is_worse: bool = False
) -> list[EvaluationRun]:
    """Return the runs that a file of a tool tells of. The same file gives the same `event_id`s.

    Parameters
    ----------
    tool
        One of `READERS`.
    service
        The service of which they evaluated the version.
    model
        The version, where the file calls it something else than production does.
    category
        The hazard, where the file names none.
    higher_is_worse
        Whether a right answer is the harm: what the file counts as passed has failed.

    Raises
    ------
    UnreadableFileError
        Where the file cannot be read, or is no report of that tool; the message says what to take.
    """
    read = list(read_file(name))
    if broken := next((each for each in read if each.refused), None):
        raise UnreadableFileError(f"{name}:{broken.line}: {broken.detail or broken.refused}")
    given = {"service_name": service} | ({"model_version": model} if model else {})
    try:
        runs = list(READERS[tool]([each.value for each in read if isinstance(each.value, dict)]))
        return [
            _run(given | ({"category": category} if category else {}) | run | given, higher_is_worse) for run in runs
        ]
    except (ValueError, InvalidRecordError) as error:
        raise UnreadableFileError(f"{name} is taken for a file of {tool}: {error}") from None


def _run(plain: dict[str, Any], higher_is_worse: bool) -> EvaluationRun:  # noqa: FBT001
    if higher_is_worse:
        plain = plain | {"failed": plain["items"] - plain["failed"]}
    found = _decode(msgspec.json.encode(plain), time.time_ns())
    if not isinstance(found, EvaluationRun):
        raise TypeError("no other kind is decoded")
    return found


def import_evaluations(settings: Settings, runs: list[EvaluationRun]) -> int:
    """Send runs into Kafka, durable when the call returns, and return how many.

    Raises
    ------
    KafkaUnavailableError, TopicError
        Where they are not in Kafka; the message says what to do.
    """
    return send_all(settings, EVALUATIONS, [message(settings, EVALUATIONS, run, run.service_name) for run in runs])
