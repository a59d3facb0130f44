"""A question to a store from another process: what is said where it can't be answered."""

import uuid

import pytest

from streams.settings import load
from streams.store.ask import ask_rows

pytestmark = pytest.mark.store


@pytest.mark.parametrize(
    ("source", "name"), [("inferences", "inferences"), ("kpis(since = now(), until = now())", "kpis")]
)
def test_a_store_without_tables_is_said_to_be_new(store_path, source, name):
    """Who asks before history made tables and views is told so and what makes them, in one line, without the query."""
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database=f"new_{uuid.uuid4().hex}", sql_port=1)
    with pytest.raises(ValueError, match=rf"^the store has no table '{name}' yet: .*`watchkeeper migrate` does$"):
        ask_rows(settings, f"SELECT count() FROM {source} WHERE service_name = {{service:String}}", {"service": "shop"})
