"""The role for readers of a ClickHouse server."""

from importlib import resources

import pytest

from streams.store.client import rows

pytestmark = pytest.mark.store


def test_every_statement_is_clickhouses(client):
    """The engine's own parser takes each statement; the role selects and does nothing else."""
    text = (resources.files("schemas") / "server" / "readers.sql").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    statements = [part for part in "\n".join(lines).split(";\n") if part.strip()]
    parsed = [rows(client, "SELECT formatQuery({q:String})", {"q": part.rstrip(";\n")})[0][0] for part in statements]
    kinds = [statement.split(" IF NOT")[0].split(" ON ")[0] for statement in parsed]
    granted = ["GRANT SELECT, SHOW", "GRANT SELECT", "GRANT SELECT"]
    assert kinds == ["CREATE SETTINGS PROFILE", "CREATE ROLE", *granted, "CREATE QUOTA"]
    assert "readonly = 1" in parsed[0]
