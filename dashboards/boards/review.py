"""Review: what people say, how soon, and whether they agree."""

from typing import Final

from dashboards.boards.common import TO_SERVICE
from dashboards.panels import UNTRUSTED, Board, Panel, history

BOARD: Final = Board(
    name="review",
    title="Watchkeeper: review",
    text="The queue, turnaround, agreement, and the true unsafe rate from labels.",
    since="now-30d",
    panels=(
        Panel(
            title="Queue",
            text="Outputs that wait for a person, by queue and service, with the age of the oldest.",
            query="review_queue", kind="table", units={"oldest": "dateTimeAsIso", "oldest_age": "s"},
            links={"service": TO_SERVICE}, width=24,
        ),
        history("unsafe_reviewed"),
        history("over_refusal_reviewed"),
        Panel(
            title="Guards against labels",
            text="Precision, recall and what was missed, by guard, layer and hazard, with 95 % intervals, where people"
            " saw a hazard or judged a flag. Without a guard all of a layer are taken together, without a layer all.",
            query="guard_quality", kind="table",
            units=dict.fromkeys(
                ("precision", "precision_from", "precision_to", "recall", "recall_from", "recall_to"), "percentunit"
            ),
            width=24,
        ),
        history("review_agreement"),
        Panel(
            title="Turnaround",
            text="From queued to labelled: median with its interval, 90th percentile, and what still waits."
            f" {UNTRUSTED}",
            query="clocks", values={"prefix": "review_turnaround"}, kind="table", unit="s",
            units={"finished": "short", "open": "short"}, width=24,
        ),
        Panel(
            title="Governance",
            text="Which services have a policy, a required guard, a runbook and an owner. Share of the four.",
            query="governance", kind="table", units={"share": "percentunit"}, width=24,
        ),
    ),
)  # fmt: skip
