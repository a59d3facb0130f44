"""What is known of inputs that are alike, whoever found that they are: never a text."""

from typing import Any, Final

import msgspec

from schemas.sql import literal
from schemas.windows import Sample
from streams.findings.evidence import moment
from streams.findings.finding import WHOLE

SHOWN: Final = 10
MOST_USERS: Final = 200


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A sample, and where and when it was seen."""

    tick: int
    service: str
    sample: Sample


class Members(msgspec.Struct):
    """What is known of a cluster: how large it is, since when, where, and the latest of its events."""

    number: int
    first_tick: int
    last_tick: int
    size: int = 0
    services: dict[str, int] = {}
    users: list[str] = []
    event_ids: list[str] = []

    def add(self, seen: Seen) -> None:
        """Take in a member."""
        sample = seen.sample
        self.size += 1
        self.last_tick = seen.tick
        self.services[seen.service] = self.services.get(seen.service, 0) + 1
        if sample.user and sample.user not in self.users and len(self.users) < MOST_USERS:
            self.users.append(sample.user)
        self.event_ids = [*self.event_ids, sample.event_id][-SHOWN:]


def about(members: Members, tick: int, tick_seconds: int, verdict: str) -> dict[str, Any]:
    """Return what findings say of a cluster."""
    services = sorted(members.services, key=lambda service: (-members.services[service], service))
    per_hour = members.size / max((tick - members.first_tick + 1) * tick_seconds / 3600, 1.0)
    ids = ", ".join(map(literal, members.event_ids))
    return {
        "service_name": services[0] if services else WHOLE,
        "metric": "pattern",
        "family": "pattern",
        "detector": "two_tier_clusters",
        "event_ids": members.event_ids or None,
        "verdict": verdict,
        "details": {
            "pattern": float(members.number),
            "size": float(members.size),
            "per_hour": per_hour,
            "services": float(len(services)),
            "users": float(len(members.users)),
        },
        "evidence": (
            f"{members.size} inputs of one pattern ({verdict}) since "
            f"{moment(members.first_tick, tick_seconds)}, {per_hour:.1f} in an hour, "
            f"from {len(members.users)} users of {', '.join(services[:5]) or '?'}"
        ),
        "evidence_sql": (
            f"SELECT time, service_name, user_pseudo_id, input_text FROM inferences WHERE event_id IN ({ids})"
        ),
    }
