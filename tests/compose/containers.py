"""A container's command as a plain process: Linux gives it a read-only root, and two folders in memory to write to."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.compose.parts import OURS, ROOT, secrets_of
from tests.support.waiting import PATIENCE_SECONDS

UNSHARE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-c"]
READ_ONLY = "mount -o remount,bind,ro /"


def can_mount():
    """Tell whether this machine lets a process have mounts of its own."""
    try:
        return subprocess.run([*UNSHARE, READ_ONLY], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class Container:
    """What a service of ours runs, without an engine.

    Parameters
    ----------
    folder
        Where its folders are made: home, data, tmp and secrets.
    changed
        Variables that differ from those of the compose file: addresses on this machine.
    """

    def __init__(self, name, folder, **changed):
        self.service = OURS[name]
        self.home, self.data, self.tmp, self.secrets = (folder / each for each in ("home", "data", "tmp", "secrets"))
        for each in (self.home, self.data, self.tmp, self.secrets):
            each.mkdir(parents=True)
        for path in secrets_of(self.service):
            (self.secrets / Path(path).name).write_text("s3cret")
        ours = {key: str(value) for key, value in self.service["environment"].items()}
        here = {"DATA_DIR": self.data, "SECRETS": self.secrets, "HOST": "127.0.0.1", **changed}
        self.environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(self.home), "TMPDIR": str(self.tmp),
            **ours, **{f"WATCHKEEPER_{name}": str(value) for name, value in here.items()},
        }  # fmt: skip
        self.log = folder / "log"

    def start(self, *program):
        """Start the service's command, or another one, with nothing to write to but `data` and `tmp`."""
        command = [sys.executable, *(program or ("-m", "streams", *self.service["command"]))]
        script = f"mount -t tmpfs none {self.data} && mount -t tmpfs none {self.tmp} && {READ_ONLY} && cd {self.home}"
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*UNSHARE, f"{script} && exec {shlex.join(map(str, command))}"],
                env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def run(self, *program):
        """Return the status and the output of a command that ends."""
        self.log.write_bytes(b"")
        status = self.start(*program).wait(PATIENCE_SECONDS)
        return status, self.log.read_text()
