"""What is known of inputs that are alike, whoever found that they are: never a text."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from detectors.events.patterns import JOIN, Vectors
from schemas.findings import Finding
from schemas.signals import read_vectors
from schemas.sql import literal
from schemas.windows import Sample
from streams.findings.evidence import moment
from streams.findings.finding import WHOLE, end_of, finding, start_of
from streams.kafka.checkpoints import decoded, encoded

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


class Latest:
    """The latest samples with their vectors: until a cluster is new, nobody knows that these are its members.

    Parameters
    ----------
    most
        How many there are at most.
    """

    def __init__(self, most: int) -> None:
        self._seen: Final[deque[Seen]] = deque(maxlen=most)
        self._vectors: Final[deque[Vectors]] = deque(maxlen=most)

    def add(self, seen: Iterable[Seen], vectors: Vectors) -> None:
        """Take in samples, a vector each."""
        self._seen.extend(seen)
        self._vectors.extend(vectors)

    def alike(self, centroid: Vectors) -> list[Seen]:
        """Return those that are near the middle of a cluster, in their order."""
        near = np.array(self._vectors) @ centroid >= JOIN
        return [seen for seen, is_member in zip(self._seen, near.tolist(), strict=True) if is_member]

    def state(self) -> npt.NDArray[np.uint8]:
        """Return the samples as an array."""
        return encoded([*self._seen])

    def restore(self, state: npt.NDArray[Any]) -> None:
        """Take over what `state` returned."""
        seen = decoded(state, list[Seen])
        self._seen.clear()
        self._vectors.clear()
        self.add(seen, read_vectors([each.sample.vector for each in seen])[1])


def new_pattern(
    members: Members, tick: int, tick_seconds: int, verdict: str, severity: Literal["info", "ticket"]
) -> Finding:
    """Return the finding of a cluster that was not there before."""
    return finding(
        ("pattern", verdict, members.number, members.first_tick),
        end_of(tick, tick_seconds),
        kind="pattern",
        severity=severity,
        tenant_id=WHOLE,
        model_version=WHOLE,
        direction="up",
        onset_time_unix_nano=start_of(members.first_tick, tick_seconds),
        **about(members, tick, tick_seconds, verdict),
    )


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
