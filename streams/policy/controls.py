"""The parts of the policy about changes, canaries and what may be asked of a service."""

from collections.abc import Container, Iterator, Sequence
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, Field, model_validator

from schemas.categories import FAMILIES as CATEGORIES
from schemas.findings import Kind, Severity
from schemas.metrics import WATCHED

GateMetric = Literal["unsafe_attempted", "leak", "refusal", "over_refusal", "denied_tool", "error", "latency"]

FAMILIES: Final = tuple(
    dict.fromkeys(
        [
            *(rate.family for rate in WATCHED),
            *CATEGORIES.values(),
            *("quantity", "mix", "telemetry", "odd", "pattern", "canary", "change", "conduct", "sign_in", "unknown"),
        ]
    )
)
"""Families that findings have."""


class Changes(BaseModel, extra="forbid", frozen=True):
    """What is expected of whoever changes a model."""

    announce_within_minutes: Annotated[float, Field(gt=0, le=1_440)] = 15.0
    """A version may serve for so long before its change is recorded."""
    level: Literal["ticket", "off"] = "ticket"


class EvaluationRule(BaseModel, extra="forbid", frozen=True):
    """What a suite must have said of a candidate before it is promoted."""

    suite: Annotated[str, Field(min_length=1, max_length=256)]
    category: str = ""
    """Only this hazard; all that the suite looks for where nothing is said."""
    within_days: Annotated[float, Field(gt=0)] = 30.0
    """A run that is older does not count."""
    at_most: Annotated[float, Field(ge=0, le=1)] | None = None
    """Share of items failed: the upper end of its 95 per cent interval; null for no limit."""
    worse_by_at_most: Annotated[float, Field(ge=0, le=1)] | None = None
    """How far above stable's share: the upper end of the interval of the difference; null for no comparison."""


class CanaryGate(BaseModel, extra="forbid", frozen=True):
    """What a candidate must have shown before the gate asks to promote it."""

    metrics: Annotated[list[GateMetric], Field(min_length=1)] = ["unsafe_attempted", "leak", "refusal", "error"]
    """Each must be proven not worse, and none may be worse. A metric that a service has no events of holds it up."""
    min_exposure: Annotated[int, Field(ge=1)] = 1_000
    """Sessions that the candidate must have served, counted by the least of the metrics."""
    max_regret: Annotated[float, Field(gt=0)] = 25.0
    """Flagged sessions more than stable would have had, by any one metric: then it is taken back, proven or not."""
    evaluations: list[EvaluationRule] = []
    """Each must be met before a promotion; none of them takes a candidate back."""


class When(BaseModel, extra="forbid", frozen=True):
    """Which findings a rule looks at; what is not said may be anything."""

    kind: Kind | None = None
    family: str | None = None
    severity: Severity | None = None
    risk: Annotated[float, Field(ge=0, le=1)] | None = None
    """Least risk of a severe event."""
    services: list[str] = []


class ControlRule(BaseModel, extra="forbid", frozen=True):
    """Findings after which a service is asked to stop, pause or have its answers reviewed."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    when: When
    count: Annotated[int, Field(ge=1, le=1_000)] = 1
    within_minutes: Annotated[float, Field(gt=0, le=1_440)] = 10.0
    do: Literal["kill_switch", "pause", "review_required", "policy_review", "quarantine"]
    data_source: Annotated[str, Field(max_length=256)] = ""
    """The source of documents that is put under quarantine."""
    at_most_per_day: Annotated[int, Field(ge=1, le=100)] = 1
    """Of each service, by UTC days: the budget of the rule."""
    for_minutes: Annotated[float, Field(gt=0)] = 60.0
    """How long the request is in force."""

    @model_validator(mode="after")
    def _names_its_source(self) -> Self:
        if (self.do == "quarantine") != bool(self.data_source):
            raise ValueError("a rule that asks for a quarantine, and no other, names the source: `data_source`")
        return self


def misnamed(rules: Sequence[ControlRule], services: Container[str]) -> Iterator[dict[str, Any]]:
    """Yield what the rules name that is not there, or twice, in the form of pydantic's errors."""
    names = [rule.name for rule in rules]
    for at, rule in enumerate(rules):
        if rule.name in names[:at]:
            yield {"loc": ("controls", at, "name"), "msg": f"another rule is called {rule.name}"}
        if rule.when.family not in (None, *FAMILIES):
            known = ", ".join(FAMILIES)
            yield {"loc": ("controls", at, "when", "family"), "msg": f"no family is called so; known are {known}"}
        for place, service in enumerate(rule.when.services):
            if service not in services:
                problem = f"{service} is not under `services:` of this policy"
                yield {"loc": ("controls", at, "when", "services", place), "msg": problem}
