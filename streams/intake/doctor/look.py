"""What a service sent lately: its calls, steps and verdicts, from the store or from events of a file."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.fields import NANO
from schemas.sql import query
from streams.settings import Settings
from streams.store.ask import Parameters, ask_rows

MOST: Final = 20_000
"""Rows of a kind that are looked at, the newest: what is wrong with telemetry is wrong with most of it. The process
of the console looks so by itself: at 20,000 of the recorded week that takes 180 MB of it, at 50,000 400."""

Row = dict[str, Any]


@dataclass(slots=True)
class Look:
    """One service's telemetry.

    Parameters
    ----------
    calls, steps
        Events, with fields as the contract names them; what is not known is not there.
    verdicts
        Results of guards, each with `event_id`, `target_event_id` and `alone`, whether it travelled alone.
    losses
        What emitters said of events that they dropped or had refused.
    masked
        Kinds of direct identifiers by source and field, each with `records`; in a file nobody has looked for them.
    now_unix_nano
        The clock of whoever looks; None in a file, which may be of any time.
    """

    service: str
    calls: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    verdicts: list[Row] = field(default_factory=list)
    losses: list[Row] = field(default_factory=list)
    masked: list[Row] = field(default_factory=list)
    now_unix_nano: int | None = None


def look_at_events(events: Iterable[Mapping[str, Any]], looks: dict[str, Look] | None = None) -> list[Look]:
    """Return what each service sent, of canonical events as plain values; added to what was seen of it before."""
    looks = {} if looks is None else looks
    for event in events:
        name = str(event.get("service_name", ""))
        _add(looks.setdefault(name, Look(name)), dict(event))
    return list(looks.values())


def _add(look: Look, event: Row) -> None:
    kind = str(event.get("event_type", "")).removeprefix("ai.safety.").removesuffix(".v1")
    if kind == "guard_verdict":
        look.verdicts.append(_verdict(event, event.get("guard"), alone=True))
        return
    kept = {"inference": look.calls, "agent_step": look.steps, "telemetry": look.losses}.get(kind)
    if kept is not None:
        kept.append(event)
    guards = event.get("guards")
    look.verdicts += [_verdict(event, guard, alone=False) for guard in guards or () if isinstance(guards, list)]


def _verdict(event: Row, guard: Any, *, alone: bool) -> Row:
    named = {name: event.get(name) for name in ("event_id", "target_event_id", "target_id", "trace_id", "span_id")}
    return (guard if isinstance(guard, dict) else {}) | named | {"alone": alone}


def look_at_store(settings: Settings, hours: float = 1) -> list[Look]:
    """Return what each service sent in the last hours, as far as it is stored."""
    asked: Parameters = {"seconds": round(hours * 3_600), "most": MOST}
    looks: dict[str, Look] = {}
    now = time.time_ns()
    for name in ("calls", "steps", "verdicts", "losses", "masked"):
        for row in ask_rows(settings, query("streams.intake.doctor", name), asked):
            service = str(row["service_name"])
            look = looks.setdefault(service, Look(service, now_unix_nano=now))
            getattr(look, name).append(_known(row, name))
    return list(looks.values())


def _known(row: Row, name: str) -> Row:
    """Return what a row knows: in the store blank and null stand for what is absent."""
    known = {key: value for key, value in row.items() if value not in ("", None, [])}
    if name == "verdicts":
        known |= {"findings": list(_findings(row)), "alone": row["event_kind"] == "guard_verdict"}
    return known


def _findings(row: Row) -> Iterator[Row]:
    columns = {key.removeprefix("findings_"): value for key, value in row.items() if key.startswith("findings_")}
    for values in zip(*columns.values(), strict=True):
        yield {key: value for key, value in zip(columns, values, strict=True) if value not in ("", None)}


def nanoseconds(row: Row) -> int | None:
    """Return when a row happened."""
    found = row.get("time_unix_nano")
    return int(found) if isinstance(found, int | float | str) and str(found).isdigit() else None


def seconds_between(later: int, earlier: int) -> float:
    """Return the seconds from one time in nanoseconds to another."""
    return (later - earlier) / NANO
