"""One store for all tests of the KPIs, emptied before each history."""

import uuid

import pytest

from streams.settings import load
from streams.store.client import connect
from streams.store.migrate import migrate


@pytest.fixture(scope="module")
def store(store_path):
    """A client of a database with all tables."""
    client = connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database=f"k{uuid.uuid4().hex[:8]}"))
    migrate(client)
    yield client
    client.close()
