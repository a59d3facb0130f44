"""Everything in the store says what it means, and the data dictionary says the same."""

from pathlib import Path

import pytest

from schemas.sql import query
from streams.store.client import rows
from streams.store.schema.comments import KINDS, meanings
from streams.store.schema.dictionary import FILE, dictionary

pytestmark = pytest.mark.store


def test_everything_is_commented(client):
    """No table, view or column lacks a comment, and none is described that is not there."""
    about = dict(rows(client, query("streams.store", "described")))
    columns = rows(client, query("streams.store", "described_columns"))
    assert [name for name, text in about.items() if not text] == []
    assert [(table, name) for table, name, _, text in columns if not text] == []
    known = meanings()
    assert {name for kind in KINDS for name in known[kind]} == set(about) - {"trust_hours_judged", "trap_hours_seen"}
    assert set(known["everywhere"]) <= {name for _, name, _, _ in columns}
    named = {(table, name) for table, its in known["columns"].items() for name in its}
    assert named <= {(table, name) for table, name, _, _ in columns}


def test_the_dictionary_is_what_the_store_says(client):
    """``docs/data-dictionary.md`` is what `python -m streams.store.schema.dictionary` would write."""
    assert (Path(__file__).parents[2] / FILE).read_text() == dictionary(client)
