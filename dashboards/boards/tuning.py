"""Alert tuning: what was promised about false alarms, what came, and what each rule sees now."""

from typing import Final

from dashboards.panels import Board, Panel
from dashboards.rules import RULES, Rule
from schemas.kpis.objectives import PAGES_PER_DAY, TICKETS_PER_DAY


def _seen(rule: Rule) -> Panel:
    return Panel(
        title=f"Rule: {rule.title}",
        text=f"What the rule compares with its limit, worst first. {rule.summary}",
        query=rule.query, values=rule.values, kind="table", unit=rule.unit, limit=rule.limit,
        better="lower" if rule.above else "higher", width=8, height=6,
    )  # fmt: skip


BOARD: Final = Board(
    name="tuning",
    title="Watchkeeper: alert tuning",
    text="Promised and achieved false alarms, what is raised, and what the rules see.",
    since="now-30d",
    panels=(
        Panel(
            title="False alarms: promised and achieved",
            text="False pages a day that the budget promises, beside incidents that people judged false, with a 95 %"
            " interval (Poisson, approximation of Wilson and Hilferty). What nobody has judged yet is counted apart:"
            " the achieved figure is known only when people say false positive. The promise is the default policy's.",
            query="false_alarms", values={"budget": PAGES_PER_DAY}, kind="table", width=24, height=5,
        ),
        Panel(
            title="Pages a day", text="Pages raised, true and false together. The line is the budget of false ones.",
            query="raised_per_day", values={"severity": "page"}, limit=PAGES_PER_DAY,
        ),
        Panel(
            title="Tickets a day",
            text="Tickets raised, true and false together. The line is the budget of false ones.",
            query="raised_per_day", values={"severity": "ticket"}, limit=TICKETS_PER_DAY,
        ),
        Panel(
            title="What is raised most",
            text="By kind and metric, with the median of e-value over promise: just above 1 is weak evidence.",
            query="noise", kind="table", width=24,
        ),
        *(_seen(rule) for rule in RULES),
    ),
)  # fmt: skip
