"""One store for all tests of the KPIs, emptied before each history."""

import pytest

from streams.settings import load
from tests.support.stores import own_database


@pytest.fixture(scope="package")
def store(store_path):
    """A client of a database with all tables."""
    with own_database(load(clickhouse=f"chdb://{store_path}", clickhouse_database="kpis")) as client:
        yield client
