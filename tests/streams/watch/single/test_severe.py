"""Single events that page at once: what is severe enough, what is not, and each under an identity of its own."""

import pytest

from schemas.events import Inference
from streams.events.flags import event_flags
from streams.events.guards import flatten_guards
from streams.policy.policy import Policy, parse_policy
from streams.watch.single.severe import severe_findings
from tests.streams.events.test_flags import BASE, columns, guard


def severe(*events, policy=None):
    """Return the findings of events, each in a batch of its own."""
    batches = map(columns, events)
    return [each for part in batches for each in severe_findings(part, event_flags(part).guards, policy or Policy())]


@pytest.mark.parametrize(
    ("result", "pages"),
    [
        (guard("sec.exfiltration.tool", layer="tool_call", severity=4), 1),
        (guard("sec.exfiltration.tool", layer="tool_call", severity=3), 0),
        (guard("content.cse", severity=4, verdict="block", action="blocked"), 0),
        (guard("content.cse", severity=4, mode="shadow"), 0),
        (guard("no.such.category", severity=4), 1),
    ],
)
def test_one_severe_event_pages_unless_it_was_stopped(result, pages):
    """Critical severity that nothing stopped is a page by itself, the same one each time, whatever its category."""
    found = severe(Inference(**BASE, guards=[result]))
    assert [each.severity for each in found] == ["page"] * pages
    assert found == severe(Inference(**BASE, guards=[result]))
    assert all(each.detected_time_unix_nano == each.onset_time_unix_nano == BASE["time_unix_nano"] for each in found)


def test_an_event_without_guards_says_nothing():
    """Without a guard's result there is nothing to page about."""
    events = columns(Inference(**BASE))
    assert severe_findings(events, flatten_guards(events)) == []


def test_the_policy_says_from_what_risk_an_event_pages():
    """High severity pages where the policy lets that risk page, and not where it asks for more."""
    event = Inference(**BASE, guards=[guard("content.cse", severity=3)])
    assert len(severe(event, policy=parse_policy("risk: {page_at: 0.05}"))) == 1
    assert not severe(event, policy=parse_policy("risk: {page_at: 1.0}"))


def test_sources_and_events_with_slashes_keep_apart():
    """Event ``b/c`` of source ``a`` and event ``c`` of source ``a/b`` are two findings."""
    events = [
        Inference(**BASE | {"source": source, "event_id": event}, guards=[guard("content.cse", severity=4)])
        for source, event in (("a", "b/c"), ("a/b", "c"))
    ]
    assert len({each.finding_id for each in severe(*events)}) == 2
