"""What OTLP calls its signals: their messages and the topics that they go to, and one record a trace."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from schemas.topics import DOORS, OTLP_LOGS, Topic

MOST_RECORD_BYTES: Final = 1_900_000
"""Of a record in Kafka; the topics take a little more."""

TRACE_BYTES: Final = 16


class Signal(NamedTuple):
    """One of the things that OTLP carries.

    Parameters
    ----------
    topic
        Where it goes; None for what is accepted and not kept.
    levels
        The repeated fields from the request down to its items.
    refused
        The field of the answer that counts refused items.
    """

    name: str
    topic: Topic | None
    request: Any
    response: Any
    levels: tuple[str, str, str]
    refused: str


TRACES: Final = Signal(
    "traces", DOORS["traces"], ExportTraceServiceRequest, ExportTraceServiceResponse,
    ("resource_spans", "scope_spans", "spans"), "rejected_spans",
)  # fmt: skip
LOGS: Final = Signal(
    "logs", DOORS["logs"], ExportLogsServiceRequest, ExportLogsServiceResponse,
    ("resource_logs", "scope_logs", "log_records"), "rejected_log_records",
)  # fmt: skip
METRICS: Final = Signal(
    "metrics", DOORS["metrics"], ExportMetricsServiceRequest, ExportMetricsServiceResponse,
    ("resource_metrics", "scope_metrics", "metrics"), "rejected_data_points",
)  # fmt: skip
SIGNALS: Final = (TRACES, LOGS, METRICS)


@dataclass(slots=True)
class Cut:
    """A request as records, each of one trace, and what of it was refused."""

    records: list[tuple[bytes | None, bytes]] = field(default_factory=list)
    refused: int = 0
    why: str = ""


def cut(signal: Signal, request: Any, most_bytes: int = MOST_RECORD_BYTES) -> Cut:
    """Cut a request into records by trace, as the Collector does with `partition_traces_by_id`.

    Each has its resources and scopes with it. A trace that is larger than a record becomes several. Log records
    without a trace stay together and have no key.

    Parameters
    ----------
    most_bytes
        The longest record; an item that does not fit into one is refused, as is one with a broken trace id.
    """
    found, made, whole = Cut(), dict[bytes, list[_Piece]](), request.ByteSize() <= most_bytes
    for resource, scope, item in _items(signal, request):
        trace, size = bytes(item.trace_id), 0 if whole else item.ByteSize()
        if wrong := _wrong(signal, trace):
            found.refused, found.why = found.refused + 1, wrong
            continue
        pieces = made.setdefault(trace, [])
        if not whole:
            size += _around(resource, scope)
            if size > most_bytes:
                found.refused, found.why = found.refused + 1, f"{size} bytes for one item, at most {most_bytes}"
                continue
        if not pieces or pieces[-1].size + size > most_bytes:
            pieces.append(_Piece(signal))
        pieces[-1].add(resource, scope, item, size)
    for trace, pieces in made.items():
        key = trace.hex().encode() if trace else None
        found.records.extend((key, piece.request.SerializeToString()) for piece in pieces)
    return found


class _Piece:
    """A request under construction."""

    def __init__(self, signal: Signal) -> None:
        self._levels: Final = signal.levels
        self.request: Final = signal.request()
        self.size = 0
        self._of: tuple[int, int] = (0, 0)
        self._into: Any = None

    def add(self, resource: Any, scope: Any, item: Any, size: int) -> None:
        """Add an item below its resource and scope; neighbours share theirs."""
        resources, scopes, items = self._levels
        if self._of[0] != id(resource):
            parent = getattr(self.request, resources).add()
            parent.resource.CopyFrom(resource.resource)
            parent.schema_url = resource.schema_url
        if self._of != (id(resource), id(scope)):
            self._into = getattr(getattr(self.request, resources)[-1], scopes).add()
            self._into.scope.CopyFrom(scope.scope)
            self._into.schema_url = scope.schema_url
            self._of = id(resource), id(scope)
        getattr(self._into, items).append(item)
        self.size += size


def _items(signal: Signal, request: Any) -> Iterator[tuple[Any, Any, Any]]:
    resources, scopes, items = signal.levels
    for resource in list(getattr(request, resources)):
        for scope in list(getattr(resource, scopes)):
            for item in getattr(scope, items):
                yield resource, scope, item


def _around(resource: Any, scope: Any) -> int:
    """Return the bytes that an item brings along: its resource, its scope, and what frames them."""
    named = len(resource.schema_url.encode()) + len(scope.schema_url.encode())
    return int(resource.resource.ByteSize() + scope.scope.ByteSize()) + named + 64


def _wrong(signal: Signal, trace: bytes) -> str:
    if signal.topic is OTLP_LOGS and not trace:
        return ""
    if len(trace) != TRACE_BYTES or not any(trace):
        return f"a trace id has {TRACE_BYTES} bytes and is not all zeros"
    return ""
