"""A rate: tool steps that end in an error."""

WHAT = "a rate"
FILES = {
    "schemas/metrics.py": [
        ('    "cascade",\n]', '    "tool_error",\n    "cascade",\n]'),
        (
            '        "a guard ended in an error or a time-out, or gave half a verdict",\n        0.05,\n    ),\n)',
            """        "a guard ended in an error or a time-out, or gave half a verdict",
        0.05,
    ),
    Rate("tool_error", "tool", "sessions with a tool step", "the step ended in an error", 0.1),
)""",
        ),
    ],
    "streams/events/flags.py": [
        ('_STEP_TRIALS = BIT["denied_tool"]', '_STEP_TRIALS = BIT["denied_tool"] | BIT["tool_error"]'),
        (
            '("denied", "rejected"))] |= BIT["denied_tool"]\n',
            """("denied", "rejected"))] |= BIT["denied_tool"]
        flagged[_is_in(table, "status", ("error",))] |= BIT["tool_error"]
""",
        ),
    ],
    "schemas/ddl/comments/columns.toml": [
        (
            "guard_failure_trials = ",
            """tool_error_trials = "Tool steps"
tool_error = "Tool steps that ended in an error"
guard_failure_trials = """,
        )
    ],
    "schemas/ddl/tables/0901_tool_error.sql": (
        "ALTER TABLE service_minutes\n    ADD COLUMN tool_error_trials UInt64 AFTER guard_failure,\n"
        "    ADD COLUMN tool_error UInt64 AFTER tool_error_trials;\n\n"
        "ALTER TABLE service_hours\n    ADD COLUMN tool_error_trials UInt64 AFTER guard_failure,\n"
        "    ADD COLUMN tool_error UInt64 AFTER tool_error_trials;\n"
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
    """Return a tool step; every fourth ends in an error."""
    return AgentStep(
        event_id=str(number), source="s", time_unix_nano=NOW_MS * 1_000_000, service_name="agent",
        step_kind="execute_tool", status="ok" if number % 4 else "error",
    )  # fmt: skip


def test_the_rate_is_counted_and_judged(client):
    """Twenty steps of which five failed are so in the minutes; a rate that rises in the windows is a page."""
    origin = Origin("inference.v1", "id", 0, np.arange(20))
    decoded = events_decoder()([Record(encode(step(number))) for number in range(20)])
    batch = [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]
    HistoryWriter(client).write(origin, batch)
    asked = "SELECT sum(tool_error_trials), sum(tool_error) FROM service_{}_now"
    assert [rows(client, asked.format(unit)) for unit in ("minutes", "hours")] == [[(20, 5)], [(20, 5)]]
    rng = np.random.default_rng(1)
    found = run(judge(), 700, lambda tick: rate(rng, 0.6 if tick >= 500 else 0.01, metric="tool_error"))
    assert {finding.severity for finding in found if finding.metric == "tool_error"} >= {"page"}
'''
