"""What is wanted of the calls of a service: how many may fail, and how many may be slow."""

from typing import Annotated

from pydantic import BaseModel, Field

from schemas.kpis.objectives import ERROR_SHARE, SLOW_MS, SLOW_SHARE

Share = Annotated[float, Field(gt=0, lt=1)]


class CallObjectives(BaseModel, extra="forbid", frozen=True):
    """What is tolerated of calls; budgets and burn rates are held against it."""

    errors: Share = ERROR_SHARE
    """Share that may end in an error."""
    slow_ms: Annotated[float, Field(ge=1)] = SLOW_MS
    """From how many milliseconds on a call is slow."""
    slow: Share = SLOW_SHARE
    """Share that may be slow."""
