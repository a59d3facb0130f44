"""Events of a file, counted as the checks ask."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Final

from schemas.categories import FAMILIES
from schemas.traps import ANSWERS
from schemas.vocabulary import EVENT_WORDS, GUARD_WORDS
from streams.intake.doctor.look import (
    LACKING,
    NO_OUTPUT,
    OBJECTIONS,
    SESSIONS,
    TOKENS,
    Levels,
    Look,
    Middle,
    Names,
    Part,
    Session,
)

Row = dict[str, Any]

_ANSWERS: Final = (*ANSWERS, None)
_NAMED: Final = ("event_id", "target_event_id", "target_id", "trace_id", "span_id")


@dataclass(slots=True)
class Sent:
    """One service's events: calls, steps, what emitters say of losses, and verdicts, each with whether it is alone."""

    calls: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    losses: list[Row] = field(default_factory=list)
    verdicts: list[Row] = field(default_factory=list)


def look_at_events(events: Iterable[Mapping[str, Any]]) -> list[Look]:
    """Return what each service sent, of canonical events as plain values."""
    sent: defaultdict[str, Sent] = defaultdict(Sent)
    for event in events:
        _add(sent[str(event.get("service_name", ""))], dict(event))
    return [_counted(name, found) for name, found in sent.items()]


def _add(sent: Sent, event: Row) -> None:
    kind = str(event.get("event_type", "")).removeprefix("ai.safety.").removesuffix(".v1")
    if kind == "guard_verdict":
        sent.verdicts.append(_verdict(event, event.get("guard"), alone=True))
        return
    kept = {"inference": sent.calls, "agent_step": sent.steps, "telemetry": sent.losses}.get(kind)
    if kept is not None:
        kept.append(event)
    guards = event.get("guards")
    sent.verdicts += [_verdict(event, guard, alone=False) for guard in guards or () if isinstance(guards, list)]


def _verdict(event: Row, guard: Any, *, alone: bool) -> Row:
    named = {name: event.get(name) for name in _NAMED}
    return (guard if isinstance(guard, dict) else {}) | named | {"alone": alone}


def _counted(service: str, sent: Sent) -> Look:
    rows, calls, ran = sent.calls + sent.steps, sent.calls, [row for row in sent.verdicts if row.get("status") == "ok"]
    answered = [call for call in calls if call.get("outcome") not in NO_OUTPUT]
    judged = [verdict["verdict"] in OBJECTIONS for verdict in ran if verdict.get("verdict")]
    found = [finding for verdict in sent.verdicts for finding in _findings(verdict)]
    speeds, durations = _timed(calls)
    return Look(
        service=service,
        calls=len(calls),
        steps=len(sent.steps),
        newest=max((at for row in rows if (at := _nanoseconds(row)) is not None), default=None),
        answered=len(answered),
        lacking={name: sum(_lacks(call, fields) for call in answered) for name, fields in LACKING.items()},
        sessions={name: most for name in SESSIONS if (most := _session(calls, name))},
        speeds=speeds,
        durations=durations,
        tokens={whole: _tokens(calls, whole, parts) for whole, parts in TOKENS.items()},
        outputs=_outputs(answered, ran),
        alone=_alone(rows, sent.verdicts),
        judged=Part(sum(judged), len(judged)),
        failed=sum(map(_failed, calls)),
        codes=Names.of(
            ("", str(each.get("category") or None)) for each in found if each.get("category") not in FAMILIES
        ),
        words=Names.of([*_words(rows, EVENT_WORDS), *_words(sent.verdicts, GUARD_WORDS)]),
        silent=Names.of(("", str(each.get("guard_name"))) for each in ran if not _speaks(each)),
        levels=_levels(sent.verdicts),
        dropped=sum(int(row.get("dropped") or 0) for row in sent.losses),
        refused=sum(int(row.get("refused") or 0) for row in sent.losses),
        reasons=tuple(sorted({str(row["reason"]) for row in sent.losses if row.get("reason")})[:3]),
    )


def _findings(verdict: Row) -> list[Row]:
    return [finding for finding in verdict.get("findings") or () if isinstance(finding, dict)]


def _lacks(call: Row, fields: tuple[str, ...]) -> bool:
    return all(call.get(name) in (None, "") for name in fields)


def _failed(call: Row) -> bool:
    return call.get("outcome") == "error" or (bool(call.get("error_type")) and not call.get("outcome"))


def _speaks(verdict: Row) -> bool:
    return verdict.get("verdict") not in (None, "", "unknown")


def _session(calls: list[Row], name: str) -> Session | None:
    """Return what holds most calls; without traces each counts as one of its own."""
    named = [call for call in calls if call.get(name)]
    if not named:
        return None
    held, number = Counter(str(call[name]) for call in named).most_common(1)[0]
    traces = {str(call.get("trace_id") or call.get("event_id")) for call in named if str(call[name]) == held}
    return Session(name, held, Part(number, len(named)), len(traces))


def _timed(calls: list[Row]) -> tuple[Middle, Middle]:
    """Return tokens a second and milliseconds of calls that take time for each token that they write."""
    timed = [
        (duration, _number(call, "usage_output_tokens"))
        for call in calls
        if call.get("operation_name") in _ANSWERS and (duration := _number(call, "duration_ms"))
    ]
    return _middle([1_000 * written / duration for duration, written in timed if written]), _middle(
        [duration for duration, _ in timed]
    )


def _middle(values: list[float]) -> Middle:
    return Middle(len(values), median(values)) if values else Middle()


def _tokens(calls: list[Row], whole: str, parts: tuple[str, ...]) -> Part:
    both = [(sum(_number(call, name) or 0 for name in parts), call) for call in calls if call.get(whole) is not None]
    more = [of_parts > (_number(call, whole) or 0) for of_parts, call in both if of_parts]
    return Part(sum(more), len(more))


def _outputs(answered: list[Row], ran: list[Row]) -> Part:
    outputs = [str(call.get("event_id")) for call in answered if call.get("operation_name") in _ANSWERS]
    judged = {str(each.get("target_event_id") or each.get("event_id")) for each in ran if _speaks(each)}
    return Part(sum(event_id not in judged for event_id in outputs), len(outputs))


def _alone(rows: list[Row], verdicts: list[Row]) -> Part:
    ids, traces = ({str(row[name]) for row in rows if row.get(name)} for name in ("event_id", "trace_id"))
    alone = [
        bool(each.get("target_id")) or _text(each, "target_event_id") in ids or _text(each, "trace_id") in traces
        for each in verdicts
        if each["alone"]
    ]
    return Part(alone.count(False), len(alone))


def _words(rows: list[Row], known: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [
        (name, str(row[name]))
        for row in rows
        for name, allowed in known.items()
        if row.get(name) and row[name] not in allowed and name != "ingest_dialect"
    ]


def _levels(verdicts: list[Row]) -> list[Levels]:
    given: defaultdict[str, list[float]] = defaultdict(list)
    azure = set()
    for verdict in verdicts:
        guard = str(verdict.get("guard_name"))
        for finding in _findings(verdict):
            if level := _number(finding, "severity"):
                given[guard].append(level)
                if "azure" in f"{finding.get('native_taxonomy') or ''} {guard}".lower():
                    azure.add(guard)
    return [
        Levels(name, len(found), found.count(4), sum(level % 2 == 0 for level in found), name in azure)
        for name, found in given.items()
    ]


def _text(row: Row, name: str) -> str:
    return str(row.get(name) or "")


def _nanoseconds(row: Row) -> int | None:
    """Return when a row happened."""
    found = row.get("time_unix_nano")
    return int(found) if isinstance(found, int | float | str) and str(found).isdigit() else None


def _number(row: Row, name: str) -> float | None:
    value: Any = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
