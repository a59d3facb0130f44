"""The recorded week as OTLP: what comes back is what was said."""

import gzip
import itertools
from importlib import resources

import msgspec

from streams.dialects.otlp import Rules, Traces, read_proto
from tests.support.otlp_export import TENANT, ids_of, request_of

BATCH = 2_000
OTHER = {"event_id", "source", "trace_id", "span_id", "ingest_dialect"}
"""What a span names in its own way."""

DERIVED = {"depth": 0, "outcome_source": "guardrail"}
"""What is told of every span of a trace, and of each call that a guard blocked, also where the event left it out."""


def week():
    """Yield the events of the week as they lie in the file."""
    packed = resources.files("streams.demo.recorded") / "week.jsonl.gz"
    with resources.as_file(packed) as path, gzip.open(path) as lines:
        yield from map(msgspec.json.decode, lines)


def counts(event):
    """Return what of an event counts: its rates, version, session, tenant and quantities; all but its names."""
    kept = {name: value for name, value in event.items() if name not in OTHER}
    for guard in kept.get("guards", ()):
        guard.pop("mapping_version", None)
    return kept


def test_the_week_translated_event_by_event_is_the_week():
    """Each of its events comes back once, equal in every field that counts."""
    traces, number = Traces(Rules(tenant_attribute=TENANT)), 0
    events = week()
    for now, batch in enumerate(iter(lambda: list(itertools.islice(events, BATCH)), []), 1):
        sent = {f"{trace.hex()}-{span.hex()}": event for event in batch for trace, span in [ids_of(event)]}
        records = read_proto(request_of(batch).SerializeToString(), "traces")
        told = traces.add(records, 2 * now) + traces.add((), 2 * now + 1)
        assert {event["event_id"] for event in told} == sent.keys()
        for event in told:
            original = counts(sent[event["event_id"]])
            added = {name: value for name, value in DERIVED.items() if name not in original and name in event}
            assert counts(event) == original | added
        number += len(told)
    assert number == 71_895
