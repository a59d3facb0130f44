"""A change of the policy on the timeline of changes."""

import pytest

from streams.api.policies import Publication, published
from streams.policy.difference import version_of
from streams.policy.inheritance import READY, ready_text
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


def publication(before, after, **more):
    """Return what is sent to publish a policy."""
    whole = [each.model_dump(mode="json", by_alias=True) for each in (before, after)]
    return Publication.model_validate({"before": whole[0], "policy": whole[1], "reason": "leaks"} | more)


NIGHT = "{name: chat, kind: webhook, url: 'http://a.b/', quiet_hours: {from: '22:00', to: '07:00', timezone: UTC}}"


@pytest.mark.parametrize("text", [*map(ready_text, READY), f"receivers: [{NIGHT}]"], ids=[*READY, "a receiver"])
def test_a_policy_that_is_published_is_the_one_of_the_file(text):
    """What is sent, with all that it extends, has the version that a worker with that file has."""
    after = parse_policy(text)
    found = published(publication(Policy(), after, effective_from="2026-03-02T09:00:00+01:00"), "kim", NOW)
    assert {(each.from_version, each.to_version) for each in found} == {(version_of(Policy()), version_of(after))}
    assert {each.labels["effective_from"] for each in found} == {"2026-03-02T09:00:00+01:00"}
    assert {(each.initiator_id, each.reason.split(" (")[0]) for each in found} == {("kim", "leaks")}
    assert published(publication(after, after), "kim", NOW) == []


def test_what_is_no_policy_is_not_published():
    """An unknown key, and a time of no zone, are refused in words."""
    with pytest.raises(ValueError, match="that is no policy: Extra inputs"):
        published(Publication(before={}, policy={"budgets": {}}, reason="r"), "kim", NOW)
    with pytest.raises(ValueError, match="needs a zone"):
        published(publication(Policy(), NEW, effective_from="2026-03-02T09:00:00"), "kim", NOW)
