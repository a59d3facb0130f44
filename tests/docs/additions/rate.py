"""A rate: tool steps that are cancelled."""

WHAT = "a rate"
FILES = {
    "schemas/metrics.py": [
        ('    "cascade",\n]', '    "cancelled_tool",\n    "cascade",\n]'),
        (
            'identity or rights were abused",\n        0.02,\n        axis="security",\n    ),\n)',
            """identity or rights were abused",
        0.02,
        axis="security",
    ),
    Rate("cancelled_tool", "tool", "sessions with a tool step", "the step was cancelled", 0.1),
)""",
        ),
    ],
    "streams/events/flags.py": [
        ('_STEP_TRIALS = BIT["denied_tool"]', '_STEP_TRIALS = BIT["denied_tool"] | BIT["cancelled_tool"]'),
        (
            'flagged[denied] |= BIT["denied_tool"]\n',
            """flagged[denied] |= BIT["denied_tool"]
        flagged[is_in(table, "status", ("cancelled",))] |= BIT["cancelled_tool"]
""",
        ),
    ],
    "schemas/ddl/comments/columns.toml": [
        (
            "guard_failure_trials = ",
            """cancelled_tool_trials = "Tool steps"
cancelled_tool = "Tool steps that were cancelled"
guard_failure_trials = """,
        )
    ],
    "schemas/ddl/tables/0901_cancelled_tool.sql": (
        "ALTER TABLE service_minutes\n    ADD COLUMN cancelled_tool_trials UInt64 AFTER quality,\n"
        "    ADD COLUMN cancelled_tool UInt64 AFTER cancelled_tool_trials;\n\n"
        "ALTER TABLE service_hours\n    ADD COLUMN cancelled_tool_trials UInt64 AFTER quality,\n"
        "    ADD COLUMN cancelled_tool UInt64 AFTER cancelled_tool_trials;\n"
    ),
}
GENERATED = ["schemas.json_schema", "streams.store.schema.dictionary"]
CHECKS = ["tests/schemas/test_dictionary.py", "tests/schemas/test_examples.py"]
SEEN = '''
"""Events are flagged, minutes count them, and the judge finds the rise."""

import numpy as np
import pytest

from schemas.events import AgentStep
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.store.client import rows
from tests.streams.detect.test_judge import judge, rate, run
from tests.streams.events.test_decode import NOW_MS, Record

pytestmark = pytest.mark.store


def step(number):
    """Return a tool step; every fourth is cancelled."""
    return AgentStep(
        event_id=str(number), source="s", time_unix_nano=NOW_MS * 1_000_000, service_name="agent",
        step_kind="execute_tool", status="ok" if number % 4 else "cancelled",
    )  # fmt: skip


def test_the_rate_is_counted_and_judged(client):
    """Twenty steps of which five were cancelled are so in the minutes; a rate that rises in the windows is a page."""
    origin = Origin("inference.v1", "id", 0, np.arange(20))
    decoded = events_decoder()([Record(encode(step(number))) for number in range(20)])
    batch = [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]
    HistoryWriter(client).write(origin, batch)
    asked = "SELECT sum(cancelled_tool_trials), sum(cancelled_tool) FROM service_{}_now"
    assert [rows(client, asked.format(unit)) for unit in ("minutes", "hours")] == [[(20, 5)], [(20, 5)]]
    rng = np.random.default_rng(1)
    found = run(judge(), 700, lambda tick: rate(rng, 0.6 if tick >= 500 else 0.01, metric="cancelled_tool"))
    assert {finding.severity for finding in found if finding.metric == "cancelled_tool"} >= {"page"}
'''
