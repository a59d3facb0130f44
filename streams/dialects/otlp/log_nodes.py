"""A log record, with a node that can stand for the span that it names."""

from schemas.identity import identity
from streams.dialects.otlp.assembly.finishing import Late
from streams.dialects.otlp.kinds import dialect_of
from streams.dialects.otlp.mapping.envelope import context_of, envelope_of, host_of
from streams.dialects.otlp.mapping.extras import extra_of
from streams.dialects.otlp.nodes import Node
from streams.dialects.otlp.records import LogRecord
from streams.dialects.otlp.rules import Rules
from streams.dialects.otlp.tables.aliases import said_of


def late_of(log: LogRecord, rules: Rules) -> Late | None:
    """Return what a log record says of a span, None where it is of no interest.

    Parameters
    ----------
    log
        Any log record.
    rules
        Whether texts stay, and who a tenant is.
    """
    extra = extra_of(log.event_name, log.attributes, log.body, rules)
    if extra is None:
        return None
    return Late(
        Node(
            trace_id=log.trace_id,
            span_id=log.span_id or identity(repr(log))[:16],
            parent_id="",
            remote=False,
            role="call" if extra.whole else "",
            scope=log.origin.scope,
            host=host_of(log.origin),
            dialect=dialect_of(log),
            start=0,
            end=log.time_unix_nano,
            status=0,
            envelope=envelope_of(log.origin, rules),
            context=context_of(said_of(log.attributes).fields, rules),
        ),
        extra,
    )
