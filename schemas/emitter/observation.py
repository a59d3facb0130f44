"""One call, timed from its beginning to its end, whatever becomes of it."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from ..events import AgentStep, Inference
from ..vendors import guards_from_azure_openai, guards_from_openai


class Observation:
    """A call, a step or a search that is going on: ``with`` or ``async with`` it, and `add` what comes to be known.

    At the end one event is emitted, with its duration in milliseconds. An exception becomes `error_type` and the
    outcome `error` (of a step its `status`), or `cancelled`, and goes on; one by which a provider's filter refused
    becomes `filtered`, with what the filter said. Nothing here raises or blocks.

    Parameters
    ----------
    build
        Emits an event of a kind and its fields.
    kind
        Of the event.
    event_id
        Of the event, known before it is emitted: for verdicts and feedback that come later.
    """

    def __init__(self, build: Callable[[type[Any], dict[str, Any]], object], kind: type[Any], event_id: str,
                 fields: dict[str, Any]) -> None:  # fmt: skip
        self._build: Final = build
        self._kind: Final = kind
        self.event_id: Final = event_id
        self._fields: Final = fields
        self._began = time.monotonic()
        self._time = time.time_ns()
        self._emitted = False

    def add(self, **fields: Any) -> Self:
        """Add fields of the event, over those that were given before."""
        self._fields.update(fields)
        return self

    def first_chunk(self) -> None:
        """Note that the answer begins; only the first time counts."""
        self._fields.setdefault("time_to_first_chunk_ms", self._milliseconds())

    def __enter__(self) -> Self:
        self._began, self._time = time.monotonic(), time.time_ns()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._emitted:
            return
        self._emitted = True
        timed = {"time_unix_nano": self._time, "duration_ms": self._milliseconds(), "event_id": self.event_id}
        self._build(self._kind, timed | _ending(self._kind, error) | self._fields)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def _milliseconds(self) -> float:
        return (time.monotonic() - self._began) * 1000


def _ending(kind: type[Any], error: BaseException | None) -> dict[str, Any]:
    """Return what the end says of a call or a step; what the service said itself goes before it."""
    if kind not in (Inference, AgentStep):
        return {}
    word = "outcome" if kind is Inference else "status"
    if error is None:
        return {word: "ok"} if kind is AgentStep else {}
    if not isinstance(error, Exception):  # cancelled, interrupted, closed: from outside, no error of the call
        return {word: "cancelled"}
    if kind is Inference and (guards := _refusal(error)):
        return {"outcome": "filtered", "outcome_source": "provider_filter", "guards": guards}
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")[:256]
    return {word: "error", "error_type": name}


def _refusal(error: BaseException) -> list[Any]:
    """Return what a provider's filter said in an error of its SDK; nothing of any other error."""
    body = getattr(error, "body", None)
    if "openai" not in sys.modules or not isinstance(body, dict):
        return []
    try:
        return guards_from_azure_openai(body) or guards_from_openai(body)
    except ValueError:
        return []
