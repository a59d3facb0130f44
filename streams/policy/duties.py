"""Duties to report incidents to others, as a policy lists them; which of them the law knows is for lawyers to say."""

from collections.abc import Collection
from typing import Annotated

from pydantic import BaseModel, Field

from schemas.incidents import IncidentSeverity


class ReportingDuty(BaseModel, extra="forbid", frozen=True):
    """Which incidents must be reported, to whom, and how soon after they were detected; an empty list is all."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    families: list[str] = []
    """Families of the metric that an incident began with."""
    severities: list[IncidentSeverity] = []
    services: list[str] = []
    hours: Annotated[float, Field(gt=0, le=87_600)]
    """From the detection until the report must be out."""
    authority: str = ""
    """Who is to be told, and how."""
    source: str = ""
    """Law, contract or rule that asks for it."""

    def concerns(self, family: str, severity: IncidentSeverity, services: Collection[str]) -> bool:
        """Tell whether an incident must be reported."""
        return (
            (not self.families or family in self.families)
            and (not self.severities or severity in self.severities)
            and (not self.services or not set(self.services).isdisjoint(services))
        )


def told_apart(duties: list[ReportingDuty]) -> list[ReportingDuty]:
    """Raise `ValueError` where two duties have the same name: reports are told apart by it."""
    names = [duty.name for duty in duties]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two reporting duties are called {', '.join(twice)}")
    return duties
