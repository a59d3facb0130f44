"""The Go program of this folder as a fixture, and how it is asked."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tests.support.programs import lacking, program
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture(scope="session")
def plugin():
    """The program, built once for each text of it; Go's own cache makes the next build quick."""
    go = program("go", "https://go.dev")
    source = Path(__file__).parent
    text = b"".join(path.read_bytes() for path in sorted([*source.glob("*.go"), source / "go.sum"]))
    target = Path.home() / ".cache" / "watchkeeper" / f"plugin-client-{hashlib.sha256(text).hexdigest()[:12]}"
    target.parent.mkdir(parents=True, exist_ok=True)
    command = [go, "build", "-trimpath", "-mod=readonly", "-o", str(target), "."]
    built = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
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
