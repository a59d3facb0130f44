"""SQL in files, and values written into SQL."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from dashboards.queries import fill
from schemas.sql import literal, query
from streams.settings import load
from streams.store.client import connect, rows

pytestmark = pytest.mark.store

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text("'\\\n\t\0n`\"%{}", max_size=12)


@pytest.fixture(scope="module")
def engine(store_path):
    """A client of the engine."""
    with connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database="literals")) as client:
        yield client


@given(text=TEXTS)
def test_a_literal_is_the_very_text(engine, text):
    """Whatever a text holds, the engine reads back its bytes; so does a query of a board, which is filled in alike."""
    written = text.encode().hex().upper()
    assert rows(engine, f"SELECT hex({literal(text)})") == [(written,)]
    assert fill("SELECT {a:String}", {"a": text}) == f"SELECT {literal(text)}"


def test_a_query_is_read_by_its_package_and_name():
    """Its clauses come from the code, and what is not given or not there is an error."""
    wanted = query("streams.verify", "tick_cells", by="tick")
    assert wanted.startswith("SELECT tick AS place")
    assert "{topic_id:String}" in wanted
    with pytest.raises(UndefinedError, match="tables"):
        query("streams.verify", "still_open")
    with pytest.raises(TemplateNotFound):
        query("streams.verify", "nothing")
