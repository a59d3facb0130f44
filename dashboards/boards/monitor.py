"""Monitor health: whether the other boards may be believed."""

from typing import Final

from dashboards.boards.common import TO_SERVICE
from dashboards.panels import Board, Panel, history
from dashboards.rules import LAG_SECONDS, STALE_SECONDS

BOARD: Final = Board(
    name="monitor",
    title="Watchkeeper: monitor health",
    text="Dead letters, lateness, throughput, and the parts and disks of the store.",
    panels=(
        Panel(
            title="Age of the newest minute",
            text="How old the newest minute in the store is. Beyond the limit nothing new is shown anywhere.",
            query="alert_store", kind="stat", unit="s", limit=STALE_SECONDS, width=6,
        ),
        Panel(
            title="Counted behind stored",
            text="By partition, how much older what is counted for the detectors is than what is stored.",
            query="alert_lag", kind="stat", unit="s", limit=LAG_SECONDS, width=6,
        ),
        Panel(
            title="Dead letters",
            text="Records that were refused, by reason. They are kept and can be replayed.",
            query="dead_letters", width=12,
        ),
        history("lost_events"),
        history("late_events"),
        history("orphan_verdicts"),
        Panel(
            title="Untrusted hours",
            text="Hours in which telemetry or guards were not whole, and why. KPIs over them say untrusted.",
            query="trust", kind="table", units={"time": "dateTimeAsIso"}, links={"service": TO_SERVICE}, width=24,
        ),
        Panel(
            title="Events a second", text="Throughput of each service: a fall to nothing is silence, not peace.",
            query="events", unit="ops", width=24,
        ),
        Panel(
            title="Parts of the store",
            text="Active parts, rows and bytes of each table. Thousands of parts in one table mean that merges lag.",
            query="store_parts", kind="table", units={"bytes": "bytes"},
        ),
        Panel(
            title="Disks of the store", text="Share used and bytes free on each disk of ClickHouse.",
            query="store_disks", kind="table", units={"used_share": "percentunit", "free_bytes": "bytes"},
        ),
    ),
)  # fmt: skip
