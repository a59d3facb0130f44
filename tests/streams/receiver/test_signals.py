"""A request cut up by trace keeps every item, in order, with its resource and scope."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from streams.receiver.signals import LOGS, TRACES, cut
from tests.support.receiver import trace_id, trace_request

SCOPES = st.lists(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 300)), max_size=8), max_size=3)


def flat(request):
    """Return every span as trace, name, and what stands around it."""
    return [
        (span.trace_id, span.name, resource.resource.attributes[0].value.string_value, scope.scope.name,
         resource.schema_url, scope.schema_url)
        for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
    ]  # fmt: skip


def built(resources):
    """Return a request of resources, each of scopes, each of spans."""
    request = ExportTraceServiceRequest()
    for number, scopes in enumerate(resources):
        request.MergeFrom(trace_request([], (("service.name", f"s{number}"),)))
        inner = request.resource_spans[-1]
        inner.schema_url = f"https://schemas/{number}"
        del inner.scope_spans[:]
        for at, spans in enumerate(scopes):
            scope = inner.scope_spans.add(schema_url=f"https://scopes/{at}")
            scope.scope.name = f"scope {at}"
            for place, (trace, length) in enumerate(spans):
                scope.spans.add(trace_id=trace_id(trace), name=f"{place}" + "x" * length)
    return request


@given(resources=st.lists(SCOPES, max_size=3), most=st.sampled_from([600, 1_500, 1_000_000]))
def test_every_item_is_kept_once_under_its_trace(resources, most):
    """Nothing is lost, doubled or moved to another resource, whatever the size of a record; no record is too long."""
    request = built(resources)
    found = cut(TRACES, request, most)
    assert found.refused == 0
    pieces = [(key, ExportTraceServiceRequest.FromString(value)) for key, value in found.records]
    assert all(len(value) <= most for _, value in found.records)
    assert all({span[0].hex().encode() for span in flat(piece)} == {key} for key, piece in pieces)
    for trace in range(1, 5):
        mine = [span for _, piece in pieces for span in flat(piece) if span[0] == trace_id(trace)]
        assert mine == [span for span in flat(request) if span[0] == trace_id(trace)]
    if most == 1_000_000:
        assert len(pieces) == len({span[0] for span in flat(request)})


def test_what_cannot_be_kept_is_counted():
    """A span without a proper trace id, and one that no record holds, are refused; the others are not."""
    request = trace_request([(1, 1, "good"), (0, 2, "zeros"), (2, 3, "x" * 5_000), (2, 4, "good too")])
    request.resource_spans[0].scope_spans[0].spans.add(trace_id=b"short")
    found = cut(TRACES, request, 1_000)
    assert (found.refused, len(found.records)) == (3, 2)
    assert found.why == "a trace id has 16 bytes and is not all zeros"


def test_log_records_without_a_trace_stay_together_without_a_key():
    """What belongs to no trace has no key; what does travels with its trace."""
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for trace in (b"", trace_id(1), b"", trace_id(1)):
        scope.log_records.add(trace_id=trace)
    found = cut(LOGS, request)
    assert [key for key, _ in found.records] == [None, trace_id(1).hex().encode()]
    assert [len(ExportLogsServiceRequest.FromString(value).resource_logs[0].scope_logs[0].log_records)
            for _, value in found.records] == [2, 2]  # fmt: skip
