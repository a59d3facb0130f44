"""The SQL endpoint through ClickHouse's JDBC driver, which BI tools and database browsers bring along."""

import os
import subprocess
from pathlib import Path

import pytest

from streams.sql.server import Endpoint
from streams.sql.users import user_line
from tests.support.programs import lacking, program
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.store

DRIVER = "com.clickhouse:clickhouse-jdbc:0.9.5+org.slf4j:slf4j-nop:2.0.7"
TOOL = Path(__file__).parents[2] / "real" / "jdbc" / "Tool.java"


@pytest.fixture(scope="module")
def classpath():
    """The driver's jars, loaded once."""
    import jgo

    try:
        jars = jgo.build(DRIVER, cache_dir=Path.home() / ".cache" / "watchkeeper" / "jdbc").all_jars
    except Exception as error:  # noqa: BLE001  whatever it is, the driver is not there
        lacking(f"{DRIVER} cannot be loaded from Maven: {error}")
    return os.pathsep.join(str(jar) for jar in jars)


@pytest.fixture
def endpoint(client, store_settings, tmp_path):
    """A running endpoint that lets one user in, over tables with one finding."""
    client.insert("findings", [["f1", "leak", 0.5]], column_names=["finding_id", "metric", "rate"])
    users = tmp_path / "users.yaml"
    users.write_text("users:\n" + user_line("ana", "right") + "\n")
    running = Endpoint(store_settings.model_copy(update={"sql_port": 0, "sql_users": users}))
    running.start()
    yield running
    running.stop()


def used(classpath, endpoint, database, password):
    """Return the lines of the tool as (name, answer)."""
    java = program("java", "a JDK of 17 or newer")
    address = f"jdbc:clickhouse://127.0.0.1:{endpoint.port}/{database}"
    command = [java, "-Duser.timezone=UTC", "-cp", classpath, str(TOOL), address, "ana", password, database]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=PATIENCE_SECONDS, check=True)
    return [tuple(line.split("\t", 1)) for line in ran.stdout.splitlines() if "\t" in line]


def test_a_tool_looks_around_binds_values_and_reads_types(classpath, endpoint, client, store_settings):
    """Schemas, tables, columns and keys are listed, values travel apart from the text, types arrive; writes do not."""
    database = store_settings.clickhouse_database
    said = used(classpath, endpoint, database, "right")
    answers = dict(said)
    assert (answers["valid"], answers["product"]) == ("true", "ClickHouse")
    assert database in answers["schemas"]
    assert {"findings", "inferences", "kpis"} <= set(answers["tables"].strip("[]").split(", "))
    stored = [row[0] for row in client.query("DESCRIBE findings").result_rows]
    assert answers["columns"] == f"[{', '.join(stored)}]"
    assert "finding_id" in answers["key"]
    assert int(answers["functions"]) > 1_000
    typed = [answer for name, answer in said if name == "typed"]
    assert typed == [f"it's \\ ä|2026-03-01 10:00:00.123|{{a=1}}|null|0.5|l|{number}" for number in (0, 1)]
    assert (answers["rows"], answers["many"]) == ("[f1]", "[100000]")
    assert "UNKNOWN_IDENTIFIER" in answers["unknown"]
    assert "ACCESS_DENIED" in answers["drop"]
    assert "ACCESS_DENIED" in answers["insert"]
    assert client.command("SELECT count() FROM findings") == 1


def test_a_tool_with_a_wrong_password_is_told_so(classpath, endpoint, store_settings):
    """The driver's error carries ClickHouse's own."""
    answers = dict(used(classpath, endpoint, store_settings.clickhouse_database, "wrong"))
    assert answers["valid"] == "false"
    assert "AUTHENTICATION_FAILED" in answers["refused"]
    assert "rows" not in answers
