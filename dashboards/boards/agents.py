"""Agents: what they tried and were denied, and whether one bad step brings the next."""

from typing import Final

from dashboards.boards.common import findings
from dashboards.panels import UNTRUSTED, Board, Panel, history
from schemas.metrics import OF_AGENTS

BOARD: Final = Board(
    name="agents",
    title="Watchkeeper: agents",
    text="Denied and failing tools, hazards that only agents have, and cascades across the steps of a trace.",
    panels=(
        Panel(
            title="Denied-tool rate",
            text="Share of tool steps that were denied or flagged, all chosen services together, with the 95 %"
            f" interval. {UNTRUSTED}",
            query="rate_history", values={"flagged": "denied_tool", "trials": "denied_tool_trials"}, unit="percentunit",
        ),
        history("failing_tool"),
        *(history(name) for name in OF_AGENTS),
        Panel(
            title="Agents of the last day",
            text="Each agent's steps, and of the judged ones the share of each hazard that only agents have, over at"
            " most the last day: this one reads every step.",
            query="agents", kind="table", width=24,
            units=dict.fromkeys(("denied", *OF_AGENTS), "percentunit"),
        ),
        Panel(
            title="Cascades",
            text="Of the steps that follow an unsafe step in the same trace, the share that is unsafe again, and how"
            " many. At most the last seven days of the time shown.",
            query="cascades", unit="short",
        ),
        Panel(
            title="Tools of the last day",
            text="Calls, denials and errors of each tool, over at most the last day: this one reads every step.",
            query="tools", kind="table", units={"denied_share": "percentunit", "p95_ms": "ms"}, width=24,
        ),
        findings(
            "Findings about single events and traces",
            "Severe events that nothing stopped, and events or traces unlike the others of their service.",
            "severe_event", "odd_event", "pattern",
        ),
    ),
)  # fmt: skip
