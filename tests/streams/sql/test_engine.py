"""The embedded engine within its bounds, each time in a process of its own: the first handle decides."""

import json
import subprocess
import sys

import pytest

from streams.settings import Settings, SettingsError
from streams.sql.engine import BOUNDS, folder

PARTS, QUESTIONS = 150, 300
"""So many pairs of a part and a condition are more than the cache of conditions has room for."""

PROGRAM = f"""
import json, os, sys
from streams.settings import load
from streams.sql.reader import Reader
from streams.store.client import connect

settings = load(clickhouse="chdb://" + sys.argv[1], clickhouse_database="d")
if sys.argv[2] == "reader first":
    Reader(settings).close()
client, reader = connect(settings), Reader(settings)

def figure(name):
    found = client.query("SELECT value FROM system.metrics WHERE metric = {{name:String}}", parameters={{"name": name}})
    return int(found.result_rows[0][0])

client.command("CREATE TABLE t (n UInt64, s String) ENGINE = MergeTree PARTITION BY n % {PARTS} ORDER BY n")
client.command("SET max_partitions_per_insert_block = 0")
client.command("INSERT INTO t SELECT number, toString(number) FROM numbers({PARTS * 10})")
for number in range({QUESTIONS}):
    client.command(f"SELECT count() FROM t WHERE s = 'x{{number}}'")
conditions, entries = figure("QueryConditionCacheBytes"), figure("QueryConditionCacheEntries")
before = len(os.listdir("/proc/self/task"))
client.command("DROP TABLE t SYNC")
settled = client.query("SELECT name, value FROM system.server_settings WHERE changed").result_rows
print(json.dumps({{
    "conditions": conditions, "entries": entries, "threads": len(os.listdir("/proc/self/task")) - before,
    "settings": dict(settled),
}}))
"""


@pytest.mark.store
@pytest.mark.parametrize("first", ["client first", "reader first"])
def test_bounds_hold(tmp_path, first):
    """It grows neither with more conditions than it has room for nor with parts that go, whoever opens it first."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "store"), first], capture_output=True, text=True, check=True
    )
    found = json.loads(ran.stdout)
    bound = int(found["settings"]["query_condition_cache_size"])
    assert 0.5 * bound < found["conditions"] <= bound, found
    assert found["entries"] < PARTS * QUESTIONS, found
    assert found["threads"] < 20, found
    assert found["settings"]["config-file"] == BOUNDS["config-file"]


@pytest.mark.parametrize("name", ["a?b", "a#b"])
def test_a_folder_that_the_engine_would_cut_is_refused(tmp_path, name):
    """Else the store would lie in another folder than the settings name."""
    with pytest.raises(SettingsError, match=r"has a \? or #, .*take another"):
        folder(Settings(data_dir=tmp_path / name))
