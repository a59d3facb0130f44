"""What follows from findings and changes beside incidents, and that it is said once."""

from msgspec.structs import replace

from streams.incidents.requests.pending import PendingRequests
from streams.policy.policy import parse_policy
from tests.support.incidents.entries import NANO, at, change, page

POLICY = parse_policy("""
services: {a: {}}
controls: [{name: leaks, when: {kind: severe_event, family: leak, services: [a]}, count: 3, within_minutes: 10,
            do: kill_switch}]
changes: {announce_within_minutes: 15}
""")


def leaks(count):
    """Return severe leaks, a minute apart."""
    return [page(f"s{number}", 60 * number, kind="severe_event") for number in range(count)]


def test_three_severe_leaks_ask_for_the_kill_switch_once():
    """The third within ten minutes asks for it; a restart with what was asked in the log does not ask again."""
    orders = PendingRequests(POLICY)
    for finding in leaks(2):
        orders.take(finding)
    assert orders.controls(at(130)) == []
    orders.take(leaks(3)[2])
    [asked] = orders.controls(at(130))
    assert (asked.control, asked.service_name, asked.rule) == ("kill_switch", "a", "leaks")
    assert orders.controls(at(131)) == []
    again = PendingRequests(POLICY)
    for record in (*leaks(3), asked):
        again.take(record)
    assert again.controls(at(131)) == []


def test_what_is_over_is_not_asked_for():
    """A log of last week, read by a policy of today, stops no service of today."""
    orders = PendingRequests(POLICY)
    for finding in leaks(3):
        orders.take(finding)
    assert orders.controls(at(86_400)) == []


def test_a_version_that_nobody_announced_is_a_finding_once():
    """After the grace it is found, unless a change says the version, or the finding is in the log already."""
    new = replace(page("v", 0, "info", "version", family="change"), model_version="m@2", onset_time_unix_nano=at(0))
    orders = PendingRequests(POLICY)
    orders.take(new)
    assert orders.findings(at(600)) == []
    [found] = orders.findings(at(901))
    assert (found.kind, found.service_name, found.model_version) == ("unannounced_change", "a", "m@2")
    for record in (found, change(300, version="m@2")):
        other = PendingRequests(POLICY)
        other.take(new)
        other.take(record)
        assert other.findings(at(901) + NANO) == []


def test_the_gate_decides_once():
    """A candidate that is worse goes back, as a control and on the timeline; what both logs hold is not said again."""
    begun = change(0, gate_name="canary", version="m@2", from_version="m@1")
    worse = replace(
        page("w", 60, "ticket", "canary", family="leak"), metric="leak", model_version="m@2", verdict="worse",
        sample_size=900, flagged=40, details={"stable_trials": 9_000.0, "stable_flagged": 45.0},
    )  # fmt: skip
    orders = PendingRequests(POLICY)
    for record in (worse, begun):  # as the logs are read: topic by topic
        orders.take(record)
    [asked], [decided] = orders.controls(at(100)), orders.changes()
    assert (asked.control, asked.model_version, decided.gate_result) == ("rollback", "m@2", "fail")
    again = PendingRequests(POLICY)
    for record in (worse, begun, decided, asked):
        again.take(record)
    assert (again.controls(at(100)), again.changes()) == ([], [])
