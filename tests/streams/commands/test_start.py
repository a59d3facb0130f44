"""A command starts at once: what only workers need is not loaded for it."""

import json
import os
import subprocess
import sys

import pytest

from streams.settings import load
from streams.sql.server import Endpoint
from streams.store.client import connect

HEAVY = {
    "aiohttp", "aiokafka", "authlib", "chdb", "cryptography", "fastapi", "faust", "jinja2", "kafka", "matplotlib",
    "numpy", "pandas", "pyarrow", "river", "scipy", "structlog", "uvicorn",
}  # fmt: skip
"""Packages that serve, reckon or draw."""

TELL = """
import json, sys
from streams.commands.main import main
try:
    main()
except SystemExit as end:
    status = end.code or 0
print(json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


TELL_WORKER = """
import json, sys
from streams.worker.light import without_pandas
if sys.argv[1] in ("history", "watch"):
    without_pandas(store=sys.argv[1] == "history")
from streams.app import module
module(sys.argv[1])
print(json.dumps(sorted(sys.modules)))
"""


def run(*arguments, **environment):
    """Return the output, the status and the loaded packages of a command in a process of its own."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("WATCHKEEPER_")} | environment
    done = subprocess.run(
        [sys.executable, "-c", TELL, *arguments], env=given, capture_output=True, text=True, check=True, timeout=60
    )
    status, loaded = json.loads(done.stderr.splitlines()[-1])
    return done.stdout, status, set(loaded)


@pytest.mark.parametrize("group", [[], ["kpi"], ["incident"], ["canary"], ["review"], ["grafana"], ["topics"]])
def test_help_loads_no_heavy_package(group):
    """Help, of all and of a group, loads nothing that serves, reckons or draws."""
    said, status, loaded = run(*group, "--help")
    assert status == 0
    assert "Usage" in said
    assert not loaded & (HEAVY | {"requests", "clickhouse_connect"})


@pytest.mark.parametrize(
    ("worker", "spared"),
    [
        ("history", {"river", "scipy", "fastapi"}),
        ("watch", {"clickhouse_connect", "fastapi"}),
        ("detect", {"clickhouse_connect", "fastapi", "pyarrow"}),
        ("incidents", {"streams.detect", "streams.watch", "authlib", "pyarrow", "scipy"}),
    ],
)
def test_a_worker_loads_nothing_that_only_others_need(worker, spared):
    """No worker holds pandas or all of SciPy's statistics, nor what another kind of worker is made of."""
    done = subprocess.run(
        [sys.executable, "-c", TELL_WORKER, worker], capture_output=True, text=True, check=True, timeout=60
    )
    assert not set(json.loads(done.stdout)) & (spared | {"pandas", "scipy.stats", "matplotlib"})


@pytest.mark.store
def test_a_question_to_a_running_store_loads_no_heavy_package(store_path):
    """`watchkeeper sql` asks the running history worker over HTTP and loads what that takes, no more."""
    settings = load(clickhouse=f"chdb://{store_path}", clickhouse_database="start", sql_port=0)
    with connect(settings):
        endpoint = Endpoint(settings)
        endpoint.start()
        try:
            said, status, loaded = run(
                "sql", "SELECT 1 + 1 AS two", "--format", "CSV", WATCHKEEPER_SQL_PORT=str(endpoint.port)
            )
        finally:
            endpoint.stop()
    assert (status, said) == (0, "2\n")
    assert "requests" in loaded
    assert not loaded & HEAVY


def test_what_a_user_can_mend_is_one_line():
    """A wrong setting ends with a line on the error stream and the status that says starting again does not help."""
    done = subprocess.run(
        [sys.executable, "-m", "streams", "migrate", "--clickhouse", "ftp://x"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (os.EX_CONFIG, "")
    assert done.stderr.startswith("watchkeeper: WATCHKEEPER_CLICKHOUSE: ")
    assert done.stderr.count("\n") == 1
