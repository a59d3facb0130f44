"""The endpoint through the clients that people have: clickhouse-connect, and our own commands."""

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from pydantic import SecretStr
from typer.testing import CliRunner

from streams.commands.main import app
from streams.settings import load
from streams.sql.server import Endpoint
from streams.sql.users import load_users, user_line
from streams.store.ask import ask, ask_rows, ask_running, endpoint_answers
from streams.store.client import StoreUnavailableError
from tests.support.stores import own_database

pytestmark = pytest.mark.store


@pytest.fixture(scope="module")
def settings(store_path, tmp_path_factory):
    """Settings of a store with one finding and one user."""
    users = tmp_path_factory.mktemp("users") / "users.yaml"
    users.write_text("users:\n" + user_line("ana", "right") + "\n")
    name = "clients"
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database=name, sql_port=0, sql_users=users)
    with own_database(settings) as client:
        client.insert("findings", [["f1", "leak", 0.5]], column_names=["finding_id", "metric", "rate"])
        yield settings.model_copy(update={"sql_user": "ana", "sql_password": SecretStr("right")})


@pytest.fixture(scope="module")
def endpoint(settings):
    """A running endpoint that lets one user in."""
    running = Endpoint(settings)
    running.start()
    yield running
    running.stop()


def client_of(endpoint, **options):
    """Return a client that is logged in."""
    login = {"host": "127.0.0.1", "port": endpoint.port, "username": "ana", "password": "right"}
    return clickhouse_connect.get_client(**(login | options))


@pytest.mark.parametrize("compress", [True, False, "gzip", "zstd", "lz4"])
def test_clickhouse_connect_reads_types_and_passes_parameters(endpoint, compress):
    """Its handshake, its codings, its types and its parameters work; so do its long parameters as a form."""
    with client_of(endpoint, compress=compress) as client:
        query = "SELECT number, toDateTime(0, 'UTC') AS t, {s:String} AS s FROM numbers({n:Int32})"
        for text in ("it's\ta\nä", "x" * 20_000):
            result = client.query(query, parameters={"n": 3, "s": text})
            assert [row[0] for row in result.result_rows] == [0, 1, 2]
            assert result.result_rows[0][2] == text
            assert result.result_rows[0][1].year == 1970
        table = client.query_arrow("SELECT finding_id, metric, rate FROM findings FINAL")
        assert table.num_rows == 1
        assert client.query_df("SELECT metric, rate FROM findings FINAL").rate[0] == 0.5
        with client.query_row_block_stream("SELECT number FROM numbers(100000)") as stream:
            assert sum(len(block) for block in stream) == 100_000


def test_clickhouse_connect_sees_errors_and_cannot_write(endpoint):
    """Errors arrive with their text; writes are refused and change nothing."""
    with client_of(endpoint) as client:
        with pytest.raises(DatabaseError, match="UNKNOWN_IDENTIFIER"):
            client.query("SELECT nonsense")
        with pytest.raises(DatabaseError):
            client.insert("findings", [["f2"]], column_names=["finding_id"])
        with pytest.raises(DatabaseError, match="ACCESS_DENIED"):
            client.command("DROP TABLE findings")
        assert client.command("SELECT count() FROM findings") == 1


@pytest.mark.parametrize("login", [{"password": "wrong"}, {"username": "eve"}, {"username": "default", "password": ""}])
def test_who_is_not_in_the_file_is_turned_away(endpoint, login):
    """A wrong password and an unknown name get the same error, also `default`."""
    with pytest.raises(DatabaseError, match="516"):
        client_of(endpoint, **login)


def test_our_commands_ask_through_the_endpoint_or_open_the_store(settings, endpoint):
    """The same question has the same answer from the running worker and from the store; errors are ValueErrors."""
    query = "SELECT finding_id, rate FROM findings FINAL"
    running = settings.model_copy(update={"sql_port": endpoint.port})
    assert endpoint_answers(running)
    assert ask_rows(running, query) == [{"finding_id": "f1", "rate": 0.5}]
    alone = running.model_copy(update={"sql_port": 1})
    assert not endpoint_answers(alone)
    assert ask(alone, query, "JSONEachRow") == ask(running, query, "JSONEachRow")
    for asked in (running, alone):
        with pytest.raises(ValueError, match="UNKNOWN_IDENTIFIER"):
            ask(asked, "SELECT nonsense", "CSV")
        with pytest.raises(ValueError, match="ACCESS_DENIED"):
            ask(asked, "DROP TABLE findings", "CSV")


def test_a_server_is_asked_as_one_who_may_only_read(settings, endpoint):
    """The same answer comes from a ClickHouse server, also for a user who can neither write nor send `readonly`.

    The server here is the endpoint. Whatever it refuses is a ValueError with its own message, at login and later;
    where none answers, it is the store that is away.
    """
    query, given = "SELECT finding_id, {texts:Array(String)} AS texts FROM findings FINAL", {"texts": ["it's", "\\"]}
    at = f"http://ana@127.0.0.1:{endpoint.port}"
    server = settings.model_copy(update={"clickhouse": at, "clickhouse_password": SecretStr("right")})
    assert ask_rows(server, query, given) == ask_running(server, query, given)
    assert ask_rows(server, query, given) == [{"finding_id": "f1", "texts": ["it's", "\\"]}]
    for asked, error in (("SELECT nonsense", "UNKNOWN_IDENTIFIER"), ("DROP TABLE findings", "ACCESS_DENIED")):
        with pytest.raises(ValueError, match=error):
            ask_running(server, asked, {})
    with pytest.raises(ValueError, match="AUTHENTICATION_FAILED"):
        ask_running(server.model_copy(update={"clickhouse_password": SecretStr("wrong")}), query, given)
    with pytest.raises(StoreUnavailableError, match="does not answer"):
        ask_running(server.model_copy(update={"clickhouse": "http://127.0.0.1:1"}), query, given)


def test_the_command_prints_a_line_that_the_file_takes(tmp_path):
    """`watchkeeper sql-user` reads the password from its input, and what it prints lets that user in."""
    ran = CliRunner().invoke(app, ["sql-user", "grafana"], input="s3cret\n")
    path = tmp_path / "users.yaml"
    path.write_text("users:\n" + ran.stdout)
    assert ran.exit_code == 0
    assert "s3cret" not in ran.output
    assert list(load_users(path)) == ["grafana"]
