"""How bad an incident is: by what it is about, and by how much depends on the service."""

from collections.abc import Callable
from typing import Final

from schemas.incidents import IncidentSeverity
from streams.incidents.fold.state import FindingSummary
from streams.policy.policy import Policy

LEVELS: Final[tuple[IncidentSeverity, ...]] = ("sev1", "sev2", "sev3", "sev4")
HARMS: Final = frozenset({"unsafe", "leak", "injection", "tool", "cascade"})
"""Families in which somebody may come to harm; in the others somebody is not served."""
CONDUCT: Final = "conduct"
"""The family of what somebody did alone that takes two."""

_BY_TIER: Final = {"critical": -1, "standard": 0, "experimental": 1}


def severity_of(policy: Policy) -> Callable[[FindingSummary], IncidentSeverity]:
    """Return the rule by which the facts of a policy's services get their severity.

    Harm, and what takes two persons and was done by one, is sev2, and being badly served sev3 in a standard service;
    one level worse in a critical one and one better in an experimental one. A single severe event is always sev1.
    """

    def severity(finding: FindingSummary) -> IncidentSeverity:
        if finding.kind == "severe_event":
            return "sev1"
        level = (1 if finding.family in (*HARMS, CONDUCT) else 2) + _BY_TIER[policy.service(finding.service).tier]
        return LEVELS[max(0, min(level, 3))]

    return severity
