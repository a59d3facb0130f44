"""A bounded input as a whole, for whoever wants to see what becomes of it."""

from collections import Counter
from collections.abc import Iterable

from streams.dialects.otlp.assembly.traces import Traces
from streams.dialects.otlp.records import LogRecord, Record, Span
from streams.dialects.otlp.rules import Rules
from streams.dialects.otlp.tables.aliases import FLATTENED, KNOWN, TEXTS
from streams.dialects.translation import Translation


def translate(spans: Iterable[Span], logs: Iterable[LogRecord] = (), rules: Rules | None = None) -> Translation:
    """Return what spans and log records become, taken as complete.

    Parameters
    ----------
    spans, logs
        Of any traces, in any order.
    rules
        What is kept, and who a tenant is.
    """
    records: list[Record] = [*spans, *logs]
    traces = Traces(rules)
    events = traces.add(records, 0) + traces.close()
    dialects = Counter(str(event.get("ingest_dialect", "otlp")) for event in events)
    keys = {key for record in records for key in record.attributes}
    texts = {key for keys in TEXTS.values() for key in keys}
    starts = tuple(start for starts in FLATTENED.values() for start in starts)
    dropped = sorted(key for key in keys if key not in KNOWN or key in texts or key.startswith(starts))
    return Translation(dialects.most_common(1)[0][0] if dialects else "otlp", tuple(events), tuple(dropped))
