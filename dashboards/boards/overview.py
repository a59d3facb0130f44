"""Overview: are we safe now, what is open, what changed."""

from typing import Final

from dashboards.boards.common import BY_AXIS, CHANGES, OPEN_INCIDENTS, TO_SERVICE
from dashboards.panels import UNITS, UNTRUSTED, Board, Panel, history, wanted
from schemas.kpis import BY_ID, OBJECTIVES
from schemas.kpis.objectives import SERVICE_OBJECTIVE

HEADLINES: Final = ("unsafe_served", "mitigation", "guard_coverage", "fail_open")


def _headline(kpi_id: str) -> Panel:
    kpi = BY_ID[kpi_id]
    return Panel(
        title=f"{kpi.title}: worst service",
        text=f"{kpi.says} {wanted(kpi)} The service that is worst over the time shown; its name says when it is"
        " untrusted.",
        query="worst_now",
        values={"view": kpi.view, "kpi": kpi.id, "worse": kpi.sign},
        kind="stat",
        unit=UNITS[kpi.unit],
        limit=kpi.objective,
        better=kpi.better,
        width=6,
        height=5,
    )


BOARD: Final = Board(
    name="overview",
    title="Watchkeeper: overview",
    text="Each KPI against its objective, open incidents, and what changed.",
    panels=(
        *(_headline(kpi_id) for kpi_id in HEADLINES),
        OPEN_INCIDENTS,
        Panel(
            title="Every KPI against its objective",
            text="One line a KPI, for the service that is worst over the time shown. Missed: the whole 95 % interval is"
            " beyond the objective. At risk: the value is, the interval is not. Unknown: nothing to count, which is"
            f" not good news. {UNTRUSTED}",
            query="kpis_now",
            values={
                "kpis": list(OBJECTIVES),
                "axes": [BY_ID[kpi].axis for kpi in OBJECTIVES],
                "titles": [BY_ID[kpi].title for kpi in OBJECTIVES],
                "units": [UNITS[BY_ID[kpi].unit] for kpi in OBJECTIVES],
                "objectives": [float(objective) for objective in OBJECTIVES.values()],
                "worse": [BY_ID[kpi].sign for kpi in OBJECTIVES],
                "objective": SERVICE_OBJECTIVE,
            },
            kind="table",
            unit="string",
            links={"service": TO_SERVICE},
            width=24,
            height=14,
        ),
        history("risk_adjusted_uptime"),
        BY_AXIS,
        history("error_budget"),
        CHANGES,
    ),
)
