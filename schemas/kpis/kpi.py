"""One KPI as plain data."""

from typing import Literal

from msgspec import Struct

from schemas.categories import Axis

Unit = Literal["share", "count", "seconds", "milliseconds", "ratio", "kappa"]
Better = Literal["higher", "lower"]
Level = Literal["page", "ticket"]


class Kpi(Struct, frozen=True, kw_only=True):
    """One KPI: what it says, how it is counted and misleads, what is wanted of it, and who looks after it.

    Attributes
    ----------
    says
        What it means, in whole sentences.
    formula, misleads, source
        What it is, in which way it is known to mislead, and where the formula or its interval comes from.
    view
        The view of the store that counts it.
    axis
        What it is about; empty where it takes axes together or is about none.
    by_version, by_part
        Whether its rows tell model versions apart, and what else they do; empty where nothing.
    objective
        Drawn on its panel and compared by its alert; None where nothing is wanted of it.
    exact
        Counted, without an interval: the alert compares the value, else the bound that is sure.
    step_seconds
        Step of its history on a board.
    window_hours
        What its alert and its gauge look at.
    severity
        Of its alert; None where nothing alerts.
    """

    id: str
    title: str
    unit: Unit
    better: Better
    says: str
    formula: str
    misleads: str
    source: str = "interval of Wilson (1927)"
    view: str
    axis: Axis | Literal[""] = ""
    by_version: bool = True
    by_part: str = ""
    objective: float | None = None
    exact: bool = False
    step_seconds: int = 3_600
    window_hours: int = 6
    severity: Level | None = None
    family: str = ""
    runbook: str = ""
    owner: str = "safety"

    @property
    def sign(self) -> int:
        """1 where larger is worse, -1 where smaller is."""
        return 1 if self.better == "lower" else -1
