"""The Go program of this folder as a fixture, and how it is asked."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import lacking, program
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """The program, built by each process for itself; Go's own cache makes the next build quick."""
    go = program("go", "https://go.dev")
    source, target = Path(__file__).parent, tmp_path_factory.mktemp("plugin") / "client"
    command = [go, "build", "-trimpath", "-mod=readonly", "-o", str(target), "."]
    built = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=600, check=False)
    if built.returncode:
        lacking(f"the Go program cannot be built: {built.stderr[-2_000:]}")
    return target


def ask(plugin, endpoint, *queries, tables=False, **flags):
    """Return the answers of the program to queries, in their order."""
    options = [f"-{name}={value}" for name, value in flags.items()]
    lines = "\n".join(
        json.dumps({"refId": str(place), "sql": query, "table": tables}) for place, query in enumerate(queries)
    )
    command = [plugin, f"-address=127.0.0.1:{endpoint.port}", *options]
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]
