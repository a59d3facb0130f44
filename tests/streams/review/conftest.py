"""A store that answers, and a way to store records in it."""

import time

import numpy as np
import pytest

from schemas.wire import encode
from streams.events.decode import Decoder
from streams.history.rows import Origin, rows_of
from streams.history.writer import HistoryWriter
from streams.sql.server import Endpoint
from tests.streams.events.test_decode import Record


@pytest.fixture
def running(client, store_settings):
    """A store that answers, and a way to store records in it."""
    endpoint = Endpoint(store_settings.model_copy(update={"sql_port": 0}))
    endpoint.start()
    writer, offsets = HistoryWriter(client), {}

    def store(*records):
        for record in records:
            kind = type(record)
            offset = offsets[kind] = offsets.get(kind, -1) + 1
            [columns] = Decoder(kind)([Record(encode(record), time.time_ns() // 10**6 + 1_000_000)]).kinds.values()
            origin = Origin(kind.__name__, kind.__name__, 0, np.array([offset]))
            writer.write(origin, list(rows_of(columns, origin)))

    yield store_settings.model_copy(update={"sql_port": endpoint.port}), store
    endpoint.stop()
