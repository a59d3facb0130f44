"""A column: a field of each model call, and its place in the store."""

WHAT = "a column"
FILES = {
    "schemas/events.py": [
        (
            "    model_digest: Reference | None = None\n",
            "    model_digest: Reference | None = None\n    region: Name | None = None\n",
        )
    ],
    "schemas/ddl/comments/columns.toml": [
        ("guard_failure_trials = ", 'region = "Where the call was served"\nguard_failure_trials = ')
    ],
    "schemas/ddl/tables/0902_region.sql": (
        "ALTER TABLE inferences ADD COLUMN region LowCardinality(String) AFTER model_digest;\n"
    ),
}
GENERATED = ["schemas.json_schema", "streams.store.schema.dictionary"]
CHECKS = [
    "tests/schemas/test_dictionary.py",
    "tests/schemas/test_tables.py::test_columns_are_the_fields_of_the_struct[inferences]",
    "tests/schemas/test_examples.py",
]
SEEN = '''
"""What an event says in the new field stands in its row."""

import numpy as np
import pytest

from schemas.events import Inference
from schemas.wire import encode
from streams.events.decode import events_decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.store.client import rows
from tests.streams.events.test_decode import NOW_MS, Record

pytestmark = pytest.mark.store


def test_the_column_is_filled(client):
    """The text of the field arrives; an event without it has an empty one."""
    plain = {"source": "s", "time_unix_nano": NOW_MS * 1_000_000, "service_name": "chat"}
    events = [Inference(event_id="a", region="eu-north", **plain), Inference(event_id="b", **plain)]
    origin = Origin("inference.v1", "id", 0, np.arange(2))
    decoded = events_decoder()([Record(encode(event)) for event in events])
    batch = [part for columns in decoded.kinds.values() for part in rows_of(columns, origin)]
    HistoryWriter(client).write(origin, batch)
    assert rows(client, "SELECT event_id, region FROM inferences ORDER BY event_id") == [("a", "eu-north"), ("b", "")]
'''
