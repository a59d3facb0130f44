"""The lock of Python packages, exact versions with the sums of their archives: ``python -m docs.lock`` makes it anew.

`requirements.txt` is what an installation runs with and what builds it; `requirements-dev.txt` is what this tree needs
beside it: engine and broker of one machine, tests, tools. A package stands in one of the two. Archives of all systems
are named, so that the same file holds on each; versions that are locked stay unless one is asked for.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]
RUN: Final = ROOT / "requirements.txt"
DEV: Final = ROOT / "requirements-dev.txt"

_ENTRY: Final = re.compile(
    r"^([a-z0-9-]+)==(\S+)(?: ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE
)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Locked(NamedTuple):
    """A package of the lock: its version, and the SHA-256 of every archive that there is of it."""

    version: str
    sums: frozenset[str]


def locked(*files: Path) -> dict[str, Locked]:
    """Return what is locked, by the normal form of its name; of both files where none is named."""
    found = [match for file in files or (RUN, DEV) for match in _ENTRY.finditer(file.read_text())]
    return {match[1]: Locked(match[2], frozenset(_HASH.findall(match[3]))) for match in found}


def renew(arguments: Sequence[str]) -> None:
    """Write both files anew, with what uv is told: ``--upgrade``, or ``--upgrade-package NAME``.

    Raises
    ------
    subprocess.CalledProcessError
        Where no versions fit each other, or the index does not answer; uv has said which.
    """
    _compile(RUN, "--group", "build", *arguments)
    left_out = [f"--no-emit-package={name}" for name in locked(RUN)]
    everything = ("--group", "build", "--group", "dev", "--extra", "local")
    tools = ("--python-version", "3.11.5")  # what the site is made with wants that
    _compile(DEV, *everything, *tools, "--constraints", RUN.name, *left_out, *arguments)


def _compile(target: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
    written = ["--annotation-style", "line", "--custom-compile-command", "make lock", "--output-file", target.name]
    subprocess.run([*command, *written, *arguments, "pyproject.toml"], check=True, cwd=ROOT, env=_environment())
    text = target.read_text()
    [(everywhere, _)] = Counter(re.findall(r" ; .*(?= \\$)", text, re.MULTILINE)).most_common(1)
    target.write_text(text.replace(f"{everywhere} \\\n", " \\\n"))  # what each line says tells nothing


def _environment() -> dict[str, str]:
    """Return the environment with the index that pip is set up for: uv does not ask pip."""
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True)
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
    found = re.findall(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$", told.stdout, re.MULTILINE)
    return {names[name]: value for name, value in found if name in names} | os.environ


if __name__ == "__main__":
    renew(sys.argv[1:])
