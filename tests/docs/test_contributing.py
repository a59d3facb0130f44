"""What CONTRIBUTING says of additions is true: in these files, and no others, each is made and seen at work."""

import importlib
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.docs.pages import PAGES, ROOT

MOST = 4
COPIED = ("schemas", "detectors", "streams", "dashboards", "tests", "docs", "examples")
ADDITIONS = [
    importlib.import_module(f"tests.docs.additions.{path.stem}")
    for path in sorted((ROOT / "tests" / "docs" / "additions").glob("[a-z]*.py"))
]
each_addition = pytest.mark.parametrize("addition", ADDITIONS, ids=lambda module: module.__name__.rpartition(".")[2])


def promised():
    """Return which files CONTRIBUTING names for what, as patterns in which NAME is anything."""
    found, what = {}, ""
    for first, file in re.findall(r"^\| ([^|]*)\| `([^`]+)`[^|]*\| [^|]+ \|$", PAGES["CONTRIBUTING.md"], re.MULTILINE):
        what = first.strip() or what
        found.setdefault(what, []).append(file)
    return found


def fits(file, pattern):
    """Tell whether a file is the one that a pattern names."""
    text = re.escape(pattern).replace("NNNN", r"\d{4}").replace("NAME", r"\w+")
    return re.fullmatch(text, file) is not None


def test_there_is_an_addition_for_everything_that_is_promised():
    """Each kind of the table has one, and each has at most four files."""
    assert {addition.WHAT for addition in ADDITIONS} == set(promised())
    assert all(len(files) <= MOST for files in promised().values())


@each_addition
def test_an_addition_touches_what_is_named_and_nothing_else(addition):
    """Each of its files fits one pattern of the table, and each pattern has its file."""
    patterns = promised()[addition.WHAT]
    assert len(addition.FILES) == len(patterns)
    assert all(any(fits(file, pattern) for file in addition.FILES) for pattern in patterns)


def make(tree, addition):
    """Make the addition in a copy of the tree."""
    for name, edits in addition.FILES.items():
        file = tree / name
        if isinstance(edits, str):
            assert not file.exists(), name
            file.write_text(edits)
            continue
        text = file.read_text()
        for old, new in edits:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        file.write_text(text)


def put_test(tree, addition):
    """Write the addition's own test into a copy of the tree, and return its name there."""
    name = f"tests/test_new_{addition.__name__.rpartition('.')[2]}.py"
    (tree / name).write_text(addition.SEEN.lstrip())
    return name


def ran(tree, *arguments):
    """Run Python in the copy, which then is the product."""
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def check(tree, *names):
    """Run tests in the copy."""
    return ran(tree, "pytest", "-q", "-p", "no:cacheprovider", *names)


@pytest.fixture
def tree(tmp_path):
    """A copy of the sources."""
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_nothing_is_seen_of_what_is_not_added(tree):
    """The additions' own tests fail in the tree as it is, so that they prove something where they pass."""
    status, said = check(tree, *[put_test(tree, addition) for addition in ADDITIONS])
    assert status == 1, said
    assert f"{len(ADDITIONS)} failed" in said
    assert " passed" not in said


@each_addition
def test_an_addition_is_seen_by_the_product(tree, addition):
    """In a copy of the tree its own test passes, with those that watch over what it touches."""
    make(tree, addition)
    for module in addition.GENERATED:
        status, said = ran(tree, module)
        assert status == 0, said
    status, said = check(tree, put_test(tree, addition), *addition.CHECKS)
    assert status == 0, said
