"""A change of the policy as events: one for each service that it touches, and one for what is of no single service."""

from collections.abc import Sequence
from typing import Final

from schemas.changes import Change
from schemas.identity import identity
from streams.policy.difference import MOST, difference, version_of
from streams.policy.policy import Policy

FLEET: Final = "watchkeeper"
"""The service of what is of no single one."""


def policy_changes(
    old: Policy, new: Policy, by: str, reason: str, approvers: Sequence[str], incident: str | None, now: int
) -> list[Change]:
    """Return the changes that lead from one policy to another; none where they say the same.

    Each says in its labels what was and what is, by key: of a service below its name. The same two policies give the
    same `change_id`s, so that a further step, such as a roll-back, can name them.

    Parameters
    ----------
    by, reason, approvers, incident
        Who changed it and why, who approved it, and after which incident.
    now
        Unix nanoseconds.
    """
    versions = version_of(old), version_of(new)
    by_service: dict[str, dict[str, str]] = {}
    for key, words in difference(old, new).items():
        service, below = _place(key, old, new)
        by_service.setdefault(service, {})[below] = words
    return [
        Change(
            event_id=identity("policy", *versions, service, now), source="watchkeeper/cli", time_unix_nano=now,
            service_name=service, change_id=identity("policy", *versions, service), subject_type="guard_policy",
            subject_name="policy", action="promoted", from_version=versions[0], to_version=versions[1],
            reason=reason if len(keys) <= MOST else f"{reason} ({len(keys) - MOST} more keys)", trigger="human",
            initiator_id=by, approver_ids=list(approvers) or None, incident_id=incident,
            labels=dict(list(keys.items())[:MOST]),
        )
        for service, keys in by_service.items()
    ]  # fmt: skip


def _place(key: str, old: Policy, new: Policy) -> tuple[str, str]:
    """Return the service that a key is about, whatever dots its name has, and the key below it."""
    named = sorted({*old.services, *new.services}, key=len, reverse=True)
    for name in named:
        if key.startswith(f"services.{name}."):
            return name, key.removeprefix(f"services.{name}.")
    return FLEET, key
