"""What the scenario is about: its services, its hours, and what is wrong when."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from schemas.fields import NANO
from schemas.guards import GuardFinding, GuardResult

HOURS: Final = 12
ASSISTANT: Final = "assistant-rag"
AGENTS: Final = "agents-ops"
DESK: Final = "desk"
"""A chatbot that looks things up, agents that hand over to each other, and a help desk that is still being set up."""

STABLE: Final = "atlas@1"
CANDIDATE: Final = "atlas@2"
CANARY_HOURS: Final = (5.0, 5.7)
LEAK_HOURS: Final = (1.5, 2.3)
CASCADE_HOURS: Final = (3.0, 3.7)
NOTE_HOURS: Final = (3.7, 5.0)
EXPORT_HOURS: Final = (8.0, 9.0)
LATE_LEAK_HOURS: Final = (11.4, 12.0)
"""Since the start: a candidate serves, personal data leak, agents infect each other, a note
of that is still read, the planner exports tickets, and the desk leaks to the end."""


def within(hour: float, hours: tuple[float, float]) -> bool:
    """Tell whether an hour since the start lies in a span.

    >>> within(1.5, LEAK_HOURS), within(2.3, LEAK_HOURS)
    (True, False)
    """
    return hours[0] <= hour < hours[1]


@dataclass(frozen=True, slots=True)
class Story:
    """When it begins, Unix seconds, and what decides by chance in it."""

    start: int
    chance: np.random.Generator

    def nano(self, hour: float) -> int:
        """Return an hour since the start in Unix nanoseconds."""
        return self.start * NANO + round(hour * 3_600_000) * 1_000_000

    def envelope(self, service: str, name: str, hour: float) -> dict[str, Any]:
        """Return what every event says of itself."""
        return {
            "event_id": f"{service}/{name}", "source": f"scenario/{service}", "time_unix_nano": self.nano(hour),
            "service_name": service, "environment": "prod", "tenant_id": "acme",
        }  # fmt: skip

    def draw(self, share: float) -> bool:
        """Draw whether something happens that happens so often."""
        return bool(self.chance.random() < share)

    def milliseconds(self, typical: float) -> float:
        """Draw a duration."""
        return float(self.chance.gamma(4, typical / 4))


def verdict(guard: str, layer: str, category: str = "", **said: Any) -> GuardResult:
    """Return what a guard says: that all is well, or that it found a category.

    Parameters
    ----------
    said
        Fields of the result, and `severity` and `score` of the finding.
    """
    severity, score = said.pop("severity", 2), said.pop("score", 0.93)
    found = [GuardFinding(category=category, severity=severity, score=score, score_kind="probability", threshold=0.5)]
    usual: dict[str, Any] = {"status": "ok", "mode": "enforce", "action": "none", "latency_ms": 12.0}
    usual["verdict"] = "flag" if category else "allow"
    return GuardResult(guard_name=guard, layer=layer, findings=found if category else None, **usual | said)
