"""How much may go wrong in a service, as a policy says it: what is wanted, what is accepted, and when to go back."""

from datetime import date
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from schemas.kpis import BY_ID

Text = Annotated[str, Field(min_length=1, max_length=1_000)]


def _kpi(name: str) -> str:
    if name not in BY_ID:
        raise ValueError(f"no KPI is called {name!r}; docs/kpis.md names them")
    return name


KpiName = Annotated[str, AfterValidator(_kpi)]
Objectives = dict[KpiName, float]
"""What is wanted of a service, by KPI."""

APPETITES: Final = {
    "averse": "no harm is accepted for any use",
    "cautious": "little harm is accepted, where it is stopped or found soon",
    "open": "harm is accepted where it is found, as people judge each output anyway",
}
"""What each says."""


class Rollback(BaseModel, extra="forbid", frozen=True):
    """When what is new is taken back: a KPI that is surely worse than that over some hours."""

    kpi: KpiName
    worse_than: float
    hours: Annotated[int, Field(ge=1, le=744)] = 24


class RequiredReviews(BaseModel, extra="forbid", frozen=True):
    """How much people must look at; nothing where it is not said."""

    labels_per_week: Annotated[int, Field(ge=0)] = 0
    """Outputs of the service that people must have judged in seven days."""
    within_hours: Annotated[float, Field(gt=0)] | None = None
    """Within how long half of what waits must be judged; null for no limit."""


class AcceptedRisk(BaseModel, extra="forbid", frozen=True):
    """A risk that somebody accepted, and until when; nobody accepts one for ever."""

    risk: Text
    why: Text
    by: Text
    """Who accepted it: a person or a role."""
    until: date
    """The last day on which it is accepted, by UTC."""

    def expired(self, today: date) -> bool:
        """Tell whether the last day is past."""
        return self.until < today


class Posture(BaseModel, extra="forbid", frozen=True):
    """How much may go wrong, who agreed to that, and when what is new is taken back."""

    use_case: str = ""
    appetite: Literal["averse", "cautious", "open"] = "cautious"
    acceptable_failures: list[Text] = []
    """In words for people; in numbers they are objectives and ceilings."""
    rollback: list[Rollback] = []
    reviews: RequiredReviews = RequiredReviews()
    accepted_risks: list[AcceptedRisk] = []

    def expired(self, today: date) -> list[AcceptedRisk]:
        """Return the risks that were accepted until a day that is past."""
        return [each for each in self.accepted_risks if each.expired(today)]
