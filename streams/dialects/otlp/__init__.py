"""OpenTelemetry's spans and logs of any GenAI instrumentation, read into events of the contract."""

from streams.dialects.otlp.assembly.traces import Rules, Traces
from streams.dialects.otlp.reading.gzipped import gunzip
from streams.dialects.otlp.reading.json_form import read_json
from streams.dialects.otlp.reading.proto import read_proto
from streams.dialects.otlp.reading.signal import Signal
from streams.dialects.otlp.records import LogRecord, Record, Span
from streams.dialects.otlp.translate import translate

__all__ = [
    "LogRecord", "Record", "Rules", "Signal", "Span", "Traces", "gunzip", "read_json", "read_proto", "translate",
]  # fmt: skip
