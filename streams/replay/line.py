"""One readable line of an event: what it is and how it counts, never what somebody wrote."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from schemas.events import AgentStep, Event, GuardVerdict, Inference, Retrieval, Telemetry
from schemas.fields import NANO
from schemas.guards import GuardResult

_KINDS: Final = {
    Inference: "call", GuardVerdict: "verdict", AgentStep: "step", Retrieval: "search", Telemetry: "telemetry",
}  # fmt: skip
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_MOST: Final = 64


def event_line(event: Event) -> str:
    """Return time, kind, id, session, what happened, and what each guard said.

    >>> call = Inference(event_id="e1", source="s", time_unix_nano=1_770_000_000_000_000_000, service_name="chat",
    ...                  session_id="s1", request_model="gpt-4o", outcome="completed", duration_ms=812.4)
    >>> event_line(call)
    '2026-02-02 02:40:00.000 call e1 session=s1 gpt-4o completed 812ms'
    """
    at = datetime.fromtimestamp(event.time_unix_nano / NANO, UTC)
    said = (_KINDS[type(event)], event.event_id, *_named(session=event.session_id), *_told(event))
    parts = [shown(part) for part in said]
    guards = [event.guard] if isinstance(event, GuardVerdict) else getattr(event, "guards", None) or []
    line = " ".join([f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}", *(part for part in parts if part)])
    return " | ".join([line, *map(guard_part, guards)])


def guard_part(guard: GuardResult) -> str:
    """Return what a guard said and did, and which categories it found."""
    said = guard.verdict or "-"
    done = f"{said}/{guard.action}" if guard.action else said
    status = None if guard.status == "ok" else guard.status
    found = [finding.category for finding in guard.findings or []]
    parts = (
        guard.guard_name,
        guard.layer,
        status,
        None if guard.status != "ok" and not guard.verdict else done,
        *found,
    )
    return " ".join(shown(part) for part in parts if part)


def shown(value: object, most: int = _MOST) -> str:
    """Return a name as a terminal may see it: short, and without anything that steers it."""
    text = _UNPRINTABLE.sub("?", "" if value is None else str(value))
    return text if len(text) <= most else text[: most - 1] + "…"


def _named(**values: Any) -> list[str]:
    return [f"{name}={value}" for name, value in values.items() if value not in (None, "")]


def _told(event: Event) -> Iterator[object]:
    """Yield what happened, by kind."""
    if isinstance(event, Inference):
        yield event.model_version or event.response_model or event.request_model
        yield event.outcome
        yield event.finish_reason_norm
        if event.usage_input_tokens is not None or event.usage_output_tokens is not None:
            yield f"{event.usage_input_tokens or 0}+{event.usage_output_tokens or 0}tok"
    elif isinstance(event, AgentStep):
        yield from (event.step_kind, event.tool_name, event.authorization, event.status)
    elif isinstance(event, Retrieval):
        yield event.data_source_id
        yield from _named(documents=event.returned_count)
    elif isinstance(event, GuardVerdict):
        yield from _named(of=event.target_event_id or event.target_id or event.trace_id)
    else:
        yield from _named(emitted=event.emitted, dropped=event.dropped, refused=event.refused)
        yield from _named(**(event.reasons or {}))
    duration = getattr(event, "duration_ms", None)
    yield None if duration is None else f"{duration:.0f}ms"
    yield from _named(error=getattr(event, "error_type", None), probe=getattr(event, "probe_id", None))
