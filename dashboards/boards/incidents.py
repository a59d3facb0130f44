"""Incidents: how long people were exposed, and who is still waiting."""

from typing import Final

from dashboards.boards.common import OPEN_INCIDENTS, TO_INCIDENT, TO_SERVICE
from dashboards.panels import UNTRUSTED, Board, Panel, history

BOARD: Final = Board(
    name="incidents",
    title="Watchkeeper: incidents",
    text="Clocks with median, 90th percentile and the ages of what is open; the timeline; links to the evidence.",
    since="now-30d",
    panels=(
        OPEN_INCIDENTS,
        Panel(
            title="Clocks",
            text="From onset or detection to each state: median with its 95 % interval, 90th percentile, and the median"
            f" age of those still waiting, which no median of the finished shows. {UNTRUSTED}",
            query="clocks", values={"prefix": "time_to_"}, kind="table", unit="s",
            units={"finished": "short", "open": "short"}, links={"service": TO_SERVICE}, width=24,
        ),
        Panel(
            title="Incidents",
            text="All incidents detected in the time shown. Follow the id to the steps and the evidence (the API asks"
            " for its token).",
            query="incidents_all", kind="table", unit="string",
            units=dict.fromkeys(("time", "onset", "acknowledged", "mitigated", "recovered", "closed"), "dateTimeAsIso"),
            links={"incident_id": TO_INCIDENT, "service": TO_SERVICE}, width=24,
        ),
        Panel(
            title="Timeline",
            text="Every step of every incident, the newest first: who or what did it, and why.",
            query="incident_timeline", kind="table", unit="string", units={"time": "dateTimeAsIso"},
            links={"incident_id": TO_INCIDENT}, width=24,
        ),
        history("leak_incidents"),
        Panel(
            title="Notices sent",
            text="Attempts to tell receivers, by outcome. A failed one is tried again; many mean that nobody is told.",
            query="deliveries",
        ),
    ),
)  # fmt: skip
