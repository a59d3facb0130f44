"""Passwords of the SQL endpoint, and of a ClickHouse server, are changed while it and its clients go on."""

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from streams.health.problems import PROBLEMS
from streams.settings import load
from streams.sql.server import Endpoint
from streams.sql.users import user_line
from streams.store.ask import ask_running
from streams.store.client import reading, rows
from tests.support.secrets import put

pytestmark = pytest.mark.store
FILES = ("watchkeeper_clickhouse_password", "watchkeeper_sql_password")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder of secrets with a first password, and the file of users that goes with it."""
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path / "secrets"))
    users(tmp_path, "first")
    secrets(tmp_path, "first")
    return tmp_path


def users(folder, password, name="ana"):
    """Let the endpoint know one user alone."""
    put(folder, "users:\n" + user_line(name, password), "users.yaml")


def secrets(folder, password):
    """Let clients know another password."""
    for name in FILES:
        put(folder / "secrets", password, name)


def test_a_changed_password_counts_from_the_next_question_on(folder, store_settings):
    """The one before is refused at once, also where it was right a moment ago; who is gone is out."""
    settings = store_settings.model_copy(update={"sql_port": 0, "sql_users": folder / "users.yaml"})
    endpoint = Endpoint(settings)
    endpoint.start()
    own = load(sql_port=endpoint.port, sql_user="ana", clickhouse_database=settings.clickhouse_database)
    server = own.model_copy(update={"clickhouse": f"http://ana@127.0.0.1:{endpoint.port}"})
    try:
        with reading(server) as client:
            assert answers(client, own)
            users(folder, "second")  # whose right password was remembered
            with pytest.raises(DatabaseError, match="516"):
                rows(client, "SELECT 1")
            with pytest.raises(ValueError, match="Authentication failed"):
                ask_running(own, "SELECT 1", {})
            secrets(folder, "second")
            assert answers(client, own)
            assert PROBLEMS.current() == {}
            for file in (folder / "users.yaml", *(folder / "secrets" / name for name in FILES)):
                file.write_text("")
            assert answers(client, own)
            assert PROBLEMS.current().keys() == {"sql users", "sql password", "clickhouse password"}
            users(folder, "second", "bo")
            with pytest.raises(DatabaseError, match="516"):
                rows(client, "SELECT 1")
    finally:
        endpoint.stop()


def answers(client, own):
    """Tell whether a client that stays, and a question over a connection of its own, are answered."""
    return rows(client, "SELECT 1") == [(1,)] and ask_running(own, "SELECT 1 AS one", {}) == [{"one": 1}]
