"""Telemetry of the store, counted by the store as the checks ask: no row of an event comes back."""

import time
from collections.abc import Callable
from typing import Any, Final

from schemas.categories import FAMILIES
from schemas.fields import NANO
from schemas.sql import query
from schemas.traps import ANSWERS
from schemas.vocabulary import EVENT_WORDS, GUARD_WORDS
from streams.intake.doctor.look import (
    LACKING,
    LATE_SECONDS,
    NO_OUTPUT,
    OBJECTIONS,
    SESSIONS,
    SHOWN,
    TOKENS,
    Levels,
    Look,
    Middle,
    Names,
    Part,
    Session,
    told,
)
from streams.settings import Settings
from streams.store.ask import Parameters, ask_rows

MOST: Final = 5_000
"""Lines of an answer, a service each or a name of one; of the services and names with most events."""

Row = dict[str, Any]

_WORDS: Final = {
    "inferences": ("outcome", "outcome_source", "finish_reason_norm"),
    "agent_steps": ("step_kind", "status", "authorization"),
    "guard_verdicts": ("layer", "status", "verdict", "action", "mode"),
}
"""Fields by table whose words the rates rest on."""


def look_at_store(settings: Settings, hours: float = 1) -> list[Look]:
    """Return what each service sent in the last hours, as far as it is stored."""
    asked: Parameters = {"seconds": round(hours * 3_600), "most": MOST}
    looks: dict[str, Look] = {}
    now = time.time_ns()
    for name, (given, add) in _ASKED.items():
        for row in ask_rows(settings, _QUERIES[name], asked | given):
            service = str(row["service"])
            add(looks.setdefault(service, Look(service=service, now_unix_nano=now)), row)
    return list(looks.values())


def _calls(look: Look, row: Row) -> None:
    _seen(look, row)
    look.calls, look.answered, look.failed = int(row["calls"]), int(row["answering"]), int(row["failed"])
    look.lacking = {name: int(row[f"lacking_{at}"]) for at, name in enumerate(LACKING)}
    look.speeds = Middle(int(row["speeds"]), float(row["speed"] or 0))
    look.durations = Middle(int(row["durations"]), float(row["duration"] or 0))
    look.tokens = {whole: Part(int(row[f"{whole}_less"]), int(row[f"{whole}_both"])) for whole in TOKENS}
    look.outputs = Part(int(row["bare"]), int(row["outputs"]))


def _steps(look: Look, row: Row) -> None:
    _seen(look, row)
    look.steps = int(row["steps"])


def _seen(look: Look, row: Row) -> None:
    look.newest = max(look.newest or 0, int(row["newest"]))
    look.late += int(row["late"])


def _sessions(look: Look, row: Row) -> None:
    calls = Part(int(row["most"]), int(row["named"]))
    look.sessions = {**look.sessions, row["field"]: Session(row["field"], row["held"], calls, int(row["traces"]))}


def _verdicts(look: Look, row: Row) -> None:
    look.alone = Part(int(row["lost"]), int(row["travelling"]))
    look.judged = Part(int(row["hits"]), int(row["judging"]))


def _names(look: Look, row: Row) -> None:
    before: Names = getattr(look, row["list"])
    named = (told(row["field"], row["name"]), int(row["number"]))
    setattr(look, row["list"], Names((*before.times, named), int(row["different"])))


def _levels(look: Look, row: Row) -> None:
    given, critical, even = (int(row[name]) for name in ("given", "critical", "even"))
    look.levels.append(Levels(row["guard"], given, critical, even, bool(row["azure"])))


def _losses(look: Look, row: Row) -> None:
    look.dropped, look.refused = int(row["dropped_events"]), int(row["refused_events"])
    look.reasons = tuple(row["reasons"])


def _masked(look: Look, row: Row) -> None:
    look.masked.append(row)


_FILLED: Final[dict[str, Any]] = {
    "lacking": tuple(LACKING.values()),
    "tokens": tuple((whole, *parts) for whole, parts in TOKENS.items()),
    "sessions": SESSIONS,
    "targets": (("event_id", "target_event_id"), ("trace_id", "trace_id")),
    "words": tuple((table, *fields) for table, fields in _WORDS.items()),
}
"""Names of our own columns."""

_KNOWN: Final[Parameters] = {"known": list(FAMILIES), "shown": SHOWN}
_KNOWN.update(
    (f"known_{table}_{name}", list((GUARD_WORDS if table == "guard_verdicts" else EVENT_WORDS)[name]))
    for table, fields in _WORDS.items()
    for name in fields
)
_LATE: Final[Parameters] = {"late": round(LATE_SECONDS * NANO)}

_ASKED: Final[dict[str, tuple[Parameters, Callable[[Look, Row], None]]]] = {
    "calls": (_LATE | {"no_output": list(NO_OUTPUT), "answers": ["", *ANSWERS]}, _calls),
    "steps": (_LATE, _steps),
    "sessions": ({}, _sessions),
    "verdicts": ({"objections": list(OBJECTIONS)}, _verdicts),
    "names": (_KNOWN, _names),
    "levels": ({}, _levels),
    "losses": ({}, _losses),
    "masked": ({}, _masked),
}
"""The questions: the values that each is asked with, and what takes in a line of its answer."""

_QUERIES: Final = {name: query("streams.intake.doctor", name, **_FILLED) for name in _ASKED}
