"""A change of the policy on the timeline of changes."""

from streams.policy.difference import version_of
from streams.policy.policy import Policy, parse_policy
from streams.policy.record import FLEET, policy_changes

NOW = 1_770_000_000_000_000_000
OLD = parse_policy("services: {a.b: {ceilings: {leak: 0.02}}, a: {owner: x}}")
NEW = parse_policy(
    "services: {a.b: {ceilings: {leak: 0.01}, tier: critical}, a: {owner: x}}\nbudget: {pages_per_day: 2}"
)


def changes(old, new):
    """Return the changes of one policy to another."""
    return policy_changes(old, new, "ann", "leaks in March", ["bob"], "i-1", NOW)


def test_each_service_has_its_own_change_with_what_was_and_what_is():
    """A service whose name has a dot, and what is of no single one; a service that stays as it is has none."""
    found = {each.service_name: each for each in changes(OLD, NEW)}
    assert found["a.b"].labels == {"ceilings.leak": "0.02 → 0.01", "tier": '"standard" → "critical"'}
    assert found[FLEET].labels == {"budget.pages_per_day": "1.0 → 2.0"}
    assert set(found) == {"a.b", FLEET}
    [one] = {(each.initiator_id, each.reason, *each.approver_ids, each.incident_id) for each in found.values()}
    assert one == ("ann", "leaks in March", "bob", "i-1")
    assert {(each.from_version, each.to_version) for each in found.values()} == {(version_of(OLD), version_of(NEW))}


def test_the_same_policy_is_no_change():
    """However it is written; and the same two policies give the same change."""
    assert changes(OLD, OLD) == changes(Policy(), parse_policy("extends: ''")) == []
    assert [each.change_id for each in changes(OLD, NEW)] == [each.change_id for each in changes(OLD, NEW)]
