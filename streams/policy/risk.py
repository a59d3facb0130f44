"""What one event may weigh: the parts of the policy about risk, as `streams.events.risk` takes them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.kpis.objectives import SEVERITY_WEIGHTS

Weight = Annotated[float, Field(ge=0, le=1)]


class Risk(BaseModel):
    """Weights of the risk of an event, and from where on a single one wakes somebody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stopped: Weight = 0.2
    unseen: Weight = 0.5
    """Exposure of an output that reached no user."""
    tools: dict[str, Weight] = {
        "read": 0.4, "write": 0.7, "destructive": 1.0, "external": 1.0, "privileged": 1.0, "unknown": 0.6,
    }  # fmt: skip
    """Exposure of an agent's step by the tier of its tool."""
    stranger: Weight = 1.0
    user: Weight = 0.8
    own: Weight = 0.5
    """Distrust of text of strangers, of the user, and of our own."""
    tiers: dict[str, Weight] = {"critical": 1.0, "standard": 0.7, "experimental": 0.4}
    severities: dict[str, Annotated[int, Field(ge=0, le=4)]] = {}
    """Severity of a finding that says neither how bad nor how sure, by category; for the others the usual one."""
    page_at: Weight = 0.9
    """From this risk on a single event that nothing stopped is a page, also below the critical level."""


class SeverityWeights(BaseModel, extra="forbid", frozen=True):
    """What an unsafe output costs in risk-adjusted uptime, by severity; one that nobody graded costs a medium one."""

    low: Annotated[float, Field(ge=0)] = SEVERITY_WEIGHTS["low"]
    medium: Annotated[float, Field(ge=0)] = SEVERITY_WEIGHTS["medium"]
    high: Annotated[float, Field(ge=0)] = SEVERITY_WEIGHTS["high"]
    critical: Annotated[float, Field(ge=0)] = SEVERITY_WEIGHTS["critical"]
