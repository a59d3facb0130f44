"""Panels and links that stand on more than one board."""

from typing import Final

from dashboards.panels import UNTRUSTED, Panel
from schemas.kpis import BY_ID
from schemas.kpis.objectives import SERVICE_OBJECTIVE
from schemas.metrics import FAMILY_AXES

_KEEP: Final = "${__url_time_range}&${environment:queryparam}&${version:queryparam}&${tenant:queryparam}&var-api=${api}"
TO_SERVICE: Final = f"/d/watchkeeper-service?{_KEEP}&var-service=${{__value.raw}}"
"""The service board for the service of a cell, with time and variables kept."""
TO_INCIDENT: Final = "${api}/incidents/${__value.raw}"
"""An incident with its steps and evidence, as the API shows it."""

OPEN_INCIDENTS: Final = Panel(
    title="Open incidents",
    text="What is going on, the worst first, with the clocks that are running. An empty waiting cell means: done."
    " Clocks run to the end of the time that is shown.",
    query="incidents_open",
    kind="table",
    unit="s",
    units={"detected": "dateTimeAsIso"},
    links={"incident_id": TO_INCIDENT, "service": TO_SERVICE},
    width=24,
)
CHANGES: Final = Panel(
    title="What changed",
    text="Recorded changes of models, prompts, policies, code and data, the newest first. Most incidents begin here.",
    query="changes",
    kind="table",
    unit="string",
    units={"time": "dateTimeAsIso"},
    links={"service": TO_SERVICE},
    width=24,
)

_AXES: Final = ("unsafe_served", "unsafe_attempted", "mitigation", "error_budget", "risk_adjusted_uptime")
BY_AXIS: Final = Panel(
    title="Safety and security apart",
    text="The KPIs that take content and security hazards together, each axis by itself over the time shown. An output"
    f" that is harmful on both counts on both. {UNTRUSTED}",
    query="axes",
    values={"kpis": _AXES, "titles": [BY_ID[kpi].title for kpi in _AXES], "objective": SERVICE_OBJECTIVE},
    kind="table",
    unit="percentunit",
    units={"n": "short"},
    links={"service": TO_SERVICE},
    width=24,
)


def findings(title: str, text: str, *kinds: str) -> Panel:
    """Return the table of findings of some kinds."""
    return Panel(
        title=title,
        text=text,
        query="findings",
        values={"kinds": kinds, "families": list(FAMILY_AXES), "axes": list(FAMILY_AXES.values())},
        kind="table",
        unit="short",
        units={
            "time": "dateTimeAsIso", "onset": "dateTimeAsIso", "rate": "percentunit", "rate_lower": "percentunit",
            "rate_upper": "percentunit", "baseline": "percentunit",
        },
        links={"service": TO_SERVICE},
        width=24,
    )  # fmt: skip
