"""The clients' own Python environment: their SDKs need other versions of what we need, so it is made beside ours."""

import fcntl
import hashlib
import subprocess
import venv
from pathlib import Path

from streams.local.jars import default_cache

WANTED = Path(__file__).with_name("requirements.txt")
SERVICE = Path(__file__).with_name("service.py")


def clients_python():
    """Return the interpreter of the environment, made where it is missing; it is kept for the next run."""
    folder = default_cache().with_name(f"clients-{hashlib.sha256(WANTED.read_bytes()).hexdigest()[:16]}")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "whole").exists():
            venv.create(folder, with_pip=True, clear=False)
            command = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", WANTED]
            subprocess.run(command, check=True)
            (folder / "whole").touch()
    return folder / "bin/python"
