"""Users of teams see rows of their own services alone, on the real engine, whatever they ask and however."""

import pytest
import requests
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from typer.testing import CliRunner

from schemas.sql import literal
from streams.access.rows import NOBODYS, OF_ALL, TABLES, condition, row_condition, server_statements
from streams.access.teams import Team, limited, matches
from streams.commands.main import app
from streams.settings import load
from streams.sql.server import Endpoint
from streams.sql.users import scrypt_of
from streams.store.ask import ask_rows, ask_running
from streams.store.client import connect, rows
from tests.support.stores import left_alone, own_database

pytestmark = pytest.mark.store

TEAMS = {"shop": Team(services=["shop-*", "cart"]), "bank": Team(services=["bank"])}
USERS = {"kim": ["shop"], "both": ["shop", "bank"], "gone": ["gone"], "chief": ["*"], "grafana": None}
NAMES = ("shop-a", "cart", "bank", "shop", "xshop-a")
PASSWORD = "pass"  # noqa: S105


@pytest.fixture(scope="module")
def settings(store_path, tmp_path_factory):
    """Settings of a database with a row of each of some services in every table that has a service."""
    users = tmp_path_factory.mktemp("users") / "users.yaml"
    file = {
        name: {"password_scrypt": scrypt_of(PASSWORD, name.encode().ljust(16))} | ({"teams": teams} if teams else {})
        for name, teams in USERS.items()
    }
    users.write_text(yaml.safe_dump({"users": file}))
    made = load(clickhouse=f"chdb://{store_path}", clickhouse_database="teams", sql_port=0, sql_users=users)
    with own_database(made):
        client = connect(made)
        left_alone(client)
        for table in tables(client):
            fill(client, table)
        client.close()
        yield made


def tables(client):
    """Return all tables of the store."""
    kept = "NOT endsWith(engine, 'View') AND name NOT LIKE '.%'"
    query = f"SELECT name FROM system.tables WHERE database = 'teams' AND {kept} ORDER BY name"
    return [name for (name,) in rows(client, query)]


def fill(client, table):
    """Give a table a row of each service, told apart by all other columns of its key that are texts."""
    found = rows(client, f"SELECT name, type FROM system.columns WHERE database = 'teams' AND table = '{table}'")
    kinds = dict(found)
    for name in NAMES:
        values = {"service_name": name} if "service_name" in kinds else {}
        keys = ("event_id", "finding_id", "incident_id", "duty")
        values |= {column: f"{name}-1" for column in keys if column in kinds}
        values |= {"services": [name]} if "services" in kinds else {}
        values |= {"kafka_offset": NAMES.index(name)} if "kafka_offset" in kinds else {}
        values |= {"origin_offset": NAMES.index(name)} if "origin_offset" in kinds else {}
        if values:
            client.insert(table, [list(values.values())], column_names=list(values))


@pytest.fixture(scope="module")
def port(settings):
    """The port of a running endpoint that knows the teams."""
    running = Endpoint(settings, teams=TEAMS)
    running.start()
    yield running.port
    running.stop()


def ask(port, query, user="kim", headers=None, **keys):
    """Return the answer to a question of a user."""
    return requests.post(
        f"http://127.0.0.1:{port}/",
        data=query.encode(),
        params=keys,
        auth=(user, PASSWORD),
        headers=headers,
        timeout=60,
    )


def test_every_table_says_whose_its_rows_are(settings):
    """There is no table without a line; one that nobody has thought of would have no rows for whoever is limited."""
    with_all = connect(settings)
    assert sorted(TABLES) == tables(with_all)
    with_all.close()
    assert row_condition("thought_of_tomorrow", ["a"]) == "(0)"


@pytest.mark.parametrize("user", USERS)
def test_each_table_shows_a_user_the_rows_of_its_teams(port, settings, user):
    """Cell by cell; users without a team, and of the team `*`, see all, one of a team that is gone sees nothing."""
    teams = USERS[user] or ["*"]
    own = {"kim": {"shop-a", "cart"}, "both": {"shop-a", "cart", "bank"}, "gone": set()}.get(user, set(NAMES))
    for table in TABLES:
        columns = [
            line.split("\t")[0] for line in ask(port, f"DESCRIBE TABLE {table} FORMAT TSV", user).text.splitlines()
        ]
        hidden = table in NOBODYS and "*" not in teams
        if {"service_name", "services"} & set(columns):
            column = "service_name" if "service_name" in columns else "arrayJoin(services)"
            found = ask(port, f"SELECT DISTINCT {column} AS s FROM {table} WHERE s != ''", user)
            assert (found.status_code, set(found.text.split())) == (200, set() if hidden else own), table
        else:
            assert table in (*OF_ALL, *NOBODYS), table
            assert not hidden or ask(port, f"SELECT count() FROM {table}", user).text == "0\n", table


TRIED = (
    "SELECT count() FROM inferences",
    "SELECT count() FROM teams.inferences FINAL",
    "SELECT uniqExact(service_name) FROM (SELECT * FROM inferences)",
    "WITH a AS (SELECT * FROM inferences) SELECT count() FROM a AS x SEMI JOIN a AS y ON x.event_id = y.event_id",
    "SELECT sum(cart.1 != 'z') FROM (SELECT tuple(service_name) AS cart FROM inferences)",
    "SELECT count() FROM view(SELECT service_name FROM inferences)",
    "SELECT length(groupArray(service_name)) FROM inferences AS of_all",
)
"""Ways to the same two rows."""


@pytest.mark.parametrize("query", TRIED)
def test_there_is_no_way_around(port, query):
    """Sub-queries, joins, FINAL, table functions, all see the rows of one's own alone."""
    assert ask(port, query).text == "2\n"
    assert ask(port, query, "chief").text == "5\n"


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("SELECT count() FROM inferences PREWHERE toInt32(service_name) = 1", {}),
        ("SELECT count() FROM (SELECT 1 FROM inferences PREWHERE toInt32(service_name) = 1)", {}),
        ("EXPLAIN ESTIMATE SELECT * FROM inferences", {}),
        ("EXPLAIN SELECT * FROM inferences", {}),
        ("SELECT total_rows FROM system.tables WHERE name = 'inferences'", {}),
        ("SELECT sum(rows) FROM system.parts", {}),
        ("SELECT service_name FROM inferences FORMAT JSONEachRowWithProgress", {}),
        ("SELECT service_name FROM inferences FORMAT JSON", {"output_format_write_statistics": "1"}),
        ("SELECT sum(data_compressed_bytes) FROM system.columns", {}),
        ("SELECT table_rows FROM information_schema.tables", {}),
        ("SELECT count() FROM inferences SETTINGS additional_table_filters = {}", {}),
        ("SELECT count() FROM inferences", {"additional_table_filters": "{}"}),
        ("SELECT count() FROM inferences", {"max_rows_to_read": "4"}),
    ],
)
def test_what_shows_others_rows_is_refused(port, query, keys):
    """Counts of everybody's rows, conditions that are looked at before one's own are chosen, the filter itself."""
    refused = ask(port, query, **keys)
    assert refused.status_code in (403, 500), refused.text
    assert "bank" not in refused.text


def test_an_error_does_not_tell_what_is_in_others_rows(port):
    """Conditions and functions meet one's own rows alone: no error names the value of another."""
    for query in (
        "SELECT count() FROM inferences WHERE throwIf(service_name = 'bank') = 0",
        "SELECT sum(length(service_name) / if(service_name = 'bank', 0, 1)) FROM inferences",
        "SELECT count() FROM inferences WHERE if(service_name = 'bank', toInt32(service_name), 1) = 1",
        "SELECT count() FROM inferences WHERE service_name = 'bank' AND toInt32(service_name) = 1",
        "SELECT service_name FROM inferences ORDER BY if(service_name = 'bank', toInt32(service_name), 1) LIMIT 1",
    ):
        found = ask(port, query)
        assert found.status_code == 200 or "not allowed" in found.text, found.text
        assert "bank" not in found.text.replace(query, "")
    counted = ask(port, "SELECT service_name FROM inferences WHERE service_name = 'cart' FORMAT JSON")
    assert "read" not in counted.headers["X-ClickHouse-Summary"] + counted.text
    assert "read" in ask(port, "SELECT service_name FROM inferences FORMAT JSON", "chief").text


def test_who_is_asked_for_is_limited_too(port, settings):
    """The API asks as its own user for somebody: the limits of both hold, and there is none where nobody is limited."""
    asking = settings.model_copy(update={"sql_port": port, "sql_user": "both", "sql_password": SecretStr(PASSWORD)})
    query = "SELECT DISTINCT service_name AS s FROM inferences ORDER BY s"

    def found(ask_store):
        return [row["s"] for row in ask_store(asking, query, {})]

    assert found(ask_running) == ["bank", "cart", "shop-a"]
    with limited(("cart", "xshop-*")):
        assert found(ask_running) == found(ask_rows) == ["cart"]
    with limited(()):
        assert found(ask_running) == []
    assert ask(port, query, headers={"X-Watchkeeper-Services": "nonsense"}).status_code == 400


@pytest.fixture(scope="module")
def engine(store_path):
    """A client of the engine, without tables."""
    client = connect(load(clickhouse=f"chdb://{store_path}", clickhouse_database="teams_plain"))
    yield client
    client.close()


WORDS = st.text(alphabet="ab*%_\\'-é\n", min_size=1, max_size=6)


@given(patterns=st.lists(WORDS.filter(lambda text: text.isprintable()), max_size=3), name=WORDS)
def test_sql_and_python_mean_the_same_services(engine, patterns, name):
    """Whatever a pattern and a name hold, the condition of the store says what `matches` says."""
    [(said,)] = rows(engine, f"SELECT {condition(patterns, literal(name))}")
    assert bool(said) == matches(tuple(patterns), name)


def test_statements_for_a_server_are_ones(engine, tmp_path, monkeypatch):
    """The engine reads each of them as what it is; it lets nobody make users, so they are read and not run."""
    policy = tmp_path / "policy.yaml"
    policy.write_text("teams: {shop: {services: ['shop-*', cart]}, bank: {services: [bank]}}")
    monkeypatch.setenv("WATCHKEEPER_POLICY", str(policy))
    printed = CliRunner().invoke(app, ["sql-teams"]).stdout
    made = server_statements(TEAMS, "watchkeeper")
    assert printed == "".join(f"{text};\n" for text in made)
    assert len(made) == 2 * len(TEAMS) + len(TABLES) * (len(TEAMS) + 1)
    for text in made:
        [(again,)] = rows(engine, "SELECT formatQuerySingleLine({text:String})", {"text": text})
        assert again.split()[:2] == text.split()[:2]
    everybody = [text for text in made if "EXCEPT" in text]
    assert len(everybody) == len(TABLES)
    assert all(text.endswith("USING 1 AS PERMISSIVE TO ALL EXCEPT `watchkeeper_team_shop`, `watchkeeper_team_bank`")
               for text in everybody)  # fmt: skip
