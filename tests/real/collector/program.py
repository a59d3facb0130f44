"""The Collector of this folder, built once a machine, and as a process with a configuration."""

import fcntl
import hashlib
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from streams.local.broker import die_with_parent
from streams.local.jars import default_cache
from tests.support.programs import lacking, program
from tests.support.waiting import wait_until

SOURCE = Path(__file__).parent
BUILD_SECONDS = 1_200


@pytest.fixture(scope="session")
def collector():
    """The program, kept for the next run: hundreds of packages take minutes to build."""
    go = program("go", "https://go.dev")
    parts = b"".join((SOURCE / name).read_bytes() for name in ("main.go", "go.mod", "go.sum"))
    folder = default_cache().with_name(f"collector-{hashlib.sha256(parts).hexdigest()[:16]}")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "collector").exists():
            command = [go, "build", "-trimpath", "-mod=readonly", "-o", str(folder / "collector"), "."]
            built = subprocess.run(
                command, cwd=SOURCE, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
            )
            if built.returncode:
                lacking(f"the Collector cannot be built: {built.stderr[-2_000:]}")
    return folder / "collector"


def judged(collector, configuration, folder):
    """Return what the Collector itself says of a configuration; nothing where it takes it."""
    path = folder / "judged.yaml"
    path.write_text(yaml.safe_dump(configuration))
    return subprocess.run(
        [collector, "validate", "--config", path], capture_output=True, text=True, timeout=60, check=False
    ).stderr


@contextmanager
def running(collector, configuration, folder):
    """Run it with a configuration until the end of the block; then it sends what it still has."""
    path, told = folder / "collector.yaml", folder / "collector.log"
    path.write_text(yaml.safe_dump(configuration))
    with told.open("wb") as log:
        process = subprocess.Popen(
            [collector, "--config", path], stdout=log, stderr=log,
            preexec_fn=die_with_parent,  # noqa: PLW1509
        )  # fmt: skip
    try:
        wait_until(lambda: _ready(process, told))
        yield
    finally:
        process.terminate()
        process.wait(60)


def _ready(process, told):
    words = told.read_text(errors="replace")
    assert process.poll() is None, words
    return "Everything is ready" in words
