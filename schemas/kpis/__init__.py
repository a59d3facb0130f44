"""The KPIs: what each says, how it is counted, what is wanted of it, and who looks after it.

Views, boards, alert rules, gauges, pages and the command ``watchkeeper kpi`` are made of this list.
"""

from typing import Final

from schemas.kpis import evaluations, experience, people, reliability, safety, sources
from schemas.kpis.kpi import Kpi

KPIS: Final[tuple[Kpi, ...]] = (
    *safety.KPIS, *reliability.KPIS, *people.KPIS, *experience.KPIS, *evaluations.KPIS, *sources.KPIS,
)  # fmt: skip
BY_ID: Final = {kpi.id: kpi for kpi in KPIS}
OBJECTIVES: Final = {kpi.id: kpi.objective for kpi in KPIS if kpi.objective is not None}
"""What is wanted, by KPI: these have a line on the overview and a gauge."""
