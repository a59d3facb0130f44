"""How the promised false alarms of a day are shared out among the rates."""

from schemas.metrics import WATCHED
from streams.policy.policy import Level, Policy


def budgets(policy: Policy, share: float) -> tuple[list[float], dict[str, int]]:
    """Return the budgets of alarms a day, and which of them is that of each rate; one that is off has none, the last.

    Families share the budget for pages and that for tickets by their weights.
    """
    levels: dict[Level, list[str]] = {"page": [], "ticket": [], "off": []}
    for rate in WATCHED:
        families = levels[policy.level(rate.name)]
        families += [rate.family] if rate.family not in families else []
    alarms: list[float] = []
    places: dict[tuple[Level, str], int] = {}
    of_level: dict[Level, float] = {"page": policy.budget.pages_per_day, "ticket": policy.budget.tickets_per_day}
    for level, of_all in of_level.items():
        weights = {family: policy.budget.weights.get(family, 1.0) for family in levels[level]}
        for family, weight in weights.items():
            places[level, family] = len(alarms)
            alarms.append(of_all * share * (weight * len(weights) / sum(weights.values())))
    return alarms, {rate.name: places.get((policy.level(rate.name), rate.family), len(alarms)) for rate in WATCHED}
