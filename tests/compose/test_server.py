"""The users of the ClickHouse server, in the engine itself: it reads the very files that the container gets."""

import hashlib
import json
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from pathlib import Path

import pytest

from streams.access.secrets import USERS_FILE, write_secrets
from streams.store.schema.ddl import statements
from streams.store.schema.migrate import migrations
from tests.compose.parts import ROOT, xml_of
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.store

IMAGE_USERS = """
<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users><default>
        <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
    </default></users>
</clickhouse>
"""
CONFIG = "<clickhouse><user_directories><users_xml><path>{}</path></users_xml></user_directories></clickhouse>"


@contextmanager
def engine(folder, *files):
    """Run the engine with users of the image and of these files; give a function that asks it."""
    users = folder / "users.d"
    shutil.rmtree(users, ignore_errors=True)
    users.mkdir()
    (folder / "users.xml").write_text(IMAGE_USERS)
    (folder / "server.xml").write_text(CONFIG.format(folder / "users.xml"))
    for number, text in enumerate(files):
        (users / f"{number}.xml").write_text(text)
    command = [sys.executable, str(Path(__file__).with_name("server_process.py")), str(folder / "server.xml")]
    process = subprocess.Popen(
        [*command, str(folder / "store")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )

    def ask(query):
        process.stdin.write(json.dumps(query) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    try:
        yield ask
    finally:
        process.stdin.close()
        process.wait(PATIENCE_SECONDS)


def as_default(user):
    """Return our users file with one user in the place of `default`, whom the embedded engine always is."""
    root = xml_of(ROOT / "schemas/server/users.xml")
    users = root.find("users")
    for each in list(users):
        if each.tag != user:
            users.remove(each)
    users.find(user).tag = "default"
    return ET.tostring(root, encoding="unicode")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a store that our own user has migrated, with no right but its own."""
    folder = tmp_path_factory.mktemp("server")
    with engine(folder, as_default("watchkeeper")) as ask:
        schema = [each for name, text in migrations().items() if name.endswith(".sql") for each in statements(text)]
        for statement in ("CREATE DATABASE IF NOT EXISTS watchkeeper", "USE watchkeeper", *schema):
            assert ask(statement)[1] == ""
        assert ask("CREATE TABLE schema_migrations (name String) ENGINE = ReplacingMergeTree ORDER BY name")[1] == ""
    return folder


ASKED_BY_GRAFANA = [
    ("SELECT count() FROM watchkeeper.findings", ""),
    ("SELECT count() FROM watchkeeper.service_minutes_now", ""),
    ("SELECT 1 SETTINGS max_execution_time = 25", ""),
    ("INSERT INTO watchkeeper.findings (finding_id) SELECT 'a'", "ACCESS_DENIED"),
    ("DROP TABLE watchkeeper.findings", "ACCESS_DENIED"),
    ("SELECT * FROM url('http://127.0.0.1:1/', 'CSV')", "ACCESS_DENIED"),
    ("SELECT * FROM file('/etc/passwd', 'LineAsString')", "ACCESS_DENIED"),
    ("SELECT * FROM system.users", "ACCESS_DENIED"),
    ("SELECT 1 SETTINGS max_memory_usage = 1000000000", "SETTING_CONSTRAINT_VIOLATION"),
    ("SELECT 1 SETTINGS max_execution_time = 0", "SETTING_CONSTRAINT_VIOLATION"),
    ("SET readonly = 0", "READONLY"),
]
"""Queries, and the error that the engine refuses them with."""


def test_grafana_reads_our_tables_and_nothing_else(folder):
    """The reader sees tables and views, may ask for the time that its plugin asks for, and is refused all else."""
    with engine(folder, as_default("grafana")) as ask:
        errors = {query: ask(query)[1] for query, _ in ASKED_BY_GRAFANA}
    for query, wrong in ASKED_BY_GRAFANA:
        assert (wrong in errors[query]) if wrong else errors[query] == "", query


def test_our_user_has_its_database_alone(folder):
    """Our own user writes its tables, and may not make databases, users or requests elsewhere."""
    with engine(folder, as_default("watchkeeper")) as ask:
        assert ask("INSERT INTO watchkeeper.schema_migrations (name) VALUES ('x')")[1] == ""
        for query in ("CREATE DATABASE other", "CREATE USER x", "SELECT * FROM url('http://127.0.0.1:1/', 'CSV')"):
            assert "ACCESS_DENIED" in ask(query)[1]


def test_a_reading_client_of_the_server_may_send_its_settings(folder):
    """What our HTTP client sends with every query is refused with readonly 1 and taken with 2; a write never is."""
    sent = "SELECT 1 SETTINGS enable_http_compression = 1, cancel_http_readonly_queries_on_client_close = 1"
    for readonly, wrong in (1, "READONLY"), (2, ""):
        with engine(folder, as_default("watchkeeper")) as ask:
            assert ask(f"SET readonly = {readonly}")[1] == ""
            error = ask(sent)[1]
            assert (wrong in error) if wrong else error == ""
            assert "READONLY" in ask("INSERT INTO watchkeeper.schema_migrations (name) VALUES ('y')")[1]


def test_the_users_log_in_with_the_hashes_that_the_command_writes(tmp_path):
    """Both files together give both users a password; it is the one in the secrets folder."""
    write_secrets(tmp_path / "secrets")
    passwords = (tmp_path / "secrets" / USERS_FILE).read_text()
    may_look = "<clickhouse><users><default><access_management>1</access_management></default></users></clickhouse>"
    with engine(tmp_path, (ROOT / "schemas/server/users.xml").read_text(), passwords, may_look) as ask:
        found, error = ask("SELECT name, arrayStringConcat(auth_type, ' '), host_ip FROM system.users ORDER BY name")
    assert error == ""
    rows = [line.split("\t") for line in found.splitlines()]
    assert {name: kind for name, kind, _ in rows} == {
        "default": "plaintext_password", "grafana": "sha256_password", "watchkeeper": "sha256_password",
    }  # fmt: skip
    assert "::/0" not in rows[0][2]
    word = (tmp_path / "secrets" / "grafana_clickhouse_password").read_text()
    assert (
        xml_of(tmp_path / "secrets" / USERS_FILE).findtext("users/grafana/password_sha256_hex")
        == hashlib.sha256(word.encode()).hexdigest()
    )


def test_the_log_tables_end_by_rules_that_the_engine_takes(tmp_path):
    """Each TTL of the server's configuration is one of a table's."""
    rules = {item.findtext("ttl") for item in xml_of(ROOT / "schemas/server/config.xml")} - {None}
    with engine(tmp_path) as ask:
        for number, rule in enumerate(sorted(rules)):
            made = f"CREATE TABLE t{number} (event_date Date) ENGINE = MergeTree ORDER BY event_date TTL {rule}"
            assert ask(made)[1] == ""
    assert len(rules) > 2
