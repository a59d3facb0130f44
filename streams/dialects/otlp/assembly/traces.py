"""Spans wait for their relatives: a child arrives before its root, which alone may say whose session it was."""

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct, field

from schemas.identity import identity
from streams.dialects.otlp.assembly.events import event_of
from streams.dialects.otlp.assembly.finishing import Told, Trace, finish, is_silent
from streams.dialects.otlp.assembly.relatives import fill
from streams.dialects.otlp.assembly.twins import Twins
from streams.dialects.otlp.log_nodes import late_of
from streams.dialects.otlp.mapping.envelope import Emitters
from streams.dialects.otlp.nodes import Node, node_of
from streams.dialects.otlp.records import LogRecord, Record
from streams.dialects.otlp.rules import Rules
from streams.dialects.translation import Event

FORMAT: Final = 2
"""Of the state; one of another format is refused, and the log is read again."""
REMEMBERED: Final = 6
"""Times the patience: how long a finished trace is still known to spans that come late."""
_NEVER: Final = 2**63


class _State(Struct):
    """All that is remembered, in the order in which it is due."""

    format: int = FORMAT
    now: int = -1
    traces: dict[str, Trace] = field(default_factory=dict)
    soon: list[tuple[int, str]] = field(default_factory=list)
    silent: list[tuple[int, str]] = field(default_factory=list)
    late: list[tuple[int, str]] = field(default_factory=list)
    old: list[tuple[int, str]] = field(default_factory=list)
    calls: list[tuple[int, Node]] = field(default_factory=list)


class Traces:
    """Assembles traces and gives out the events of what is complete.

    A pure state machine: the same records at the same times give the same events, in whatever batches they come, and in
    whatever order within one moment. It has no clock of its own; the time of the message's record in Kafka is a good
    one, for it stays the same when the log is read again.

    Parameters
    ----------
    rules
        Patience, bounds, and what is kept.
    """

    def __init__(self, rules: Rules | None = None) -> None:
        self._rules = rules or Rules()
        self._now = -1
        self._traces: dict[str, Trace] = {}
        self._soon: deque[tuple[int, str]] = deque()
        self._silent: deque[tuple[int, str]] = deque()
        self._late: deque[tuple[int, str]] = deque()
        self._old: deque[tuple[int, str]] = deque()
        self._twins = Twins()
        self._emitters = Emitters(self._rules)
        self._count = 0

    def add(self, records: Iterable[Record], now_unix_nano: int) -> list[Event]:
        """Take records of one moment, and return the events that earlier ones have become.

        Parameters
        ----------
        records
            Spans and log records; none, to let time pass.
        now_unix_nano
            Nanoseconds on any clock that does not go back; one that does stands still.
        """
        events = []
        if now_unix_nano > self._now:
            self._now = now_unix_nano
            events = self._due()
        for record in records:
            self._take(record)
        while self._count > self._rules.most_spans:
            events += self._evict()
        return events

    def close(self) -> list[Event]:
        """Return the events of all that still waits, whatever it misses."""
        return self._told([self._finish(trace, _NEVER, _NEVER, _NEVER) for trace in self._traces.values()])

    def state(self) -> bytes:
        """Return what must be known to go on from here; it holds no text that the rules do not keep."""
        soon, silent, late, old = map(list, (self._soon, self._silent, self._late, self._old))
        calls = list(self._twins.calls)
        return msgspec.msgpack.encode(_State(FORMAT, self._now, self._traces, soon, silent, late, old, calls))

    def restore(self, state: bytes) -> None:
        """Go on from a state.

        Raises
        ------
        ValueError
            The bytes are no state of this format.
        """
        try:
            told = msgspec.msgpack.decode(state, type=_State)
        except msgspec.DecodeError as error:
            raise ValueError(f"no state of traces: {error}") from None
        if told.format != FORMAT:
            raise ValueError(f"a state of format {told.format}; this program writes {FORMAT}: read the log again")
        self._now, self._traces, self._twins = told.now, told.traces, Twins(told.calls)
        self._soon, self._silent = deque(told.soon), deque(told.silent)
        self._late, self._old = deque(told.late), deque(told.old)
        self._count = sum(map(_size, self._traces.values()))

    def _take(self, record: Record) -> None:
        key = record.trace_id or identity(record.span_id, repr(record))
        if isinstance(record, LogRecord):
            late = late_of(record, self._rules)
            if late is None:
                return
            late.node.arrived = self._now
            trace = self._trace(key)
            if late in trace.logs:
                return
            trace.logs.append(late)
        else:
            node = node_of(record, self._rules, self._emitters.of(record.origin))
            node.arrived = self._now
            trace = self._trace(key)
            if node.span_id in trace.nodes:
                return
            trace.nodes[node.span_id] = node
            if self._rules.settle_nano and is_silent(node):
                self._silent.append((self._now + self._rules.settle_nano, key))
        self._count += 1
        self._soon.append((self._now, key))
        self._late.append((self._now + self._rules.wait_nano, key))

    def _trace(self, key: str) -> Trace:
        trace = self._traces.get(key)
        if trace is None:
            trace = self._traces[key] = Trace()
            self._old.append((self._now + REMEMBERED * self._rules.wait_nano, key))
        trace.last = self._now
        return trace

    def _due(self) -> list[Event]:
        """Return the events of what has settled or waited long enough by now, and forget what is old."""
        wait, settle = self._rules.wait_nano, self._rules.settle_nano
        keys: dict[str, None] = {}
        while self._soon and self._soon[0][0] < self._now:
            keys[self._soon.popleft()[1]] = None
        for due in (self._silent, self._late):
            while due and due[0][0] <= self._now:
                keys[due.popleft()[1]] = None
        traces = [trace for key in keys if (trace := self._traces.get(key)) and trace.waits()]
        found = [self._finish(trace, self._now, self._now - settle, self._now - wait) for trace in traces]
        self._forget()
        return self._told(found)

    def _finish(self, trace: Trace, now: int, settled: int, waited: int) -> tuple[list[Told], list[Event]]:
        before = len(trace.logs)
        found = finish(trace, now, settled, waited)
        self._count -= before - len(trace.logs)
        return found

    def _forget(self) -> None:
        horizon = REMEMBERED * self._rules.wait_nano
        while self._old and self._old[0][0] <= self._now:
            key = self._old.popleft()[1]
            trace = self._traces.get(key)
            if trace is None:
                continue
            if trace.waits() or trace.last + horizon > self._now:
                self._old.append((self._now + horizon, key))
            else:
                self._count -= _size(self._traces.pop(key))
        self._twins.forget(self._now - horizon)

    def _evict(self) -> list[Event]:
        """Finish and forget the oldest trace."""
        key = next(iter(self._traces))
        trace = self._traces.pop(key)
        self._count -= _size(trace)
        return self._told([finish(trace, _NEVER, _NEVER, _NEVER)])

    def _told(self, found: list[tuple[list[Told], list[Event]]]) -> list[Event]:
        """Return events in the order in which they happened, each call once, whichever traces saw it."""
        told = sorted((one for some, _ in found for one in some), key=_happened)
        events = [event for _, alone in found for event in alone]
        for one in told:
            if one.node.role != "call":
                continue
            if twin := self._twins.find(one.node):
                one.node.done = "merged"
                fill(twin, one.node)
            else:
                self._twins.remember(one.node, self._now)
        given = [event_of(one.node, one.parent_id, one.depth) for one in told if one.node.done != "merged"]
        events += [event for event in given if event is not None]
        for one in told:
            one.node.slim()
        once = {event["event_id"]: event for event in events}  # a word that came twice is one word
        return sorted(once.values(), key=lambda event: (event["time_unix_nano"], event["event_id"]))


def _happened(told: Told) -> tuple[bool, int, int, str]:
    """Return what orders spans, the inner before the outer, and those that only a log record tells of at the end."""
    return not told.node.start, told.node.end, -told.node.start, told.node.span_id


def _size(trace: Trace) -> int:
    return len(trace.nodes) + len(trace.logs)
