"""The boards, compiled against the TypeScript types that Grafana publishes for them (@grafana/schema).

A board is JSON, and JSON is a TypeScript expression: each is written as a module with the type `Board` of
tests/grafana_types, and one run of the compiler reads them all, and with them boards with one deliberate mistake each.
npm installs into a folder of the user's cache; the lock file pins what, and no script of a package is run.
"""

import copy
import hashlib
import json
import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from dashboards.generate import FOLDER
from tests.support.programs import lacking, program
from tests.support.waiting import PATIENCE_SECONDS

SOURCE = Path(__file__).parents[1] / "real" / "grafana_types"
BOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "boards").glob("*.json"))}
OVERVIEW, SERVICE = BOARDS["watchkeeper-overview"], BOARDS["watchkeeper-service"]
STAT, TABLE, SERIES = (
    next(("panels", place) for place, panel in enumerate(OVERVIEW["panels"]) if panel["type"] == kind)
    for kind in ("stat", "table", "timeseries")
)
MISTAKES = {
    "a number as title": (("title",), 7),
    "an unknown field of the board": (("titel",), "Overview"),
    "a wrong kind of cursor": (("graphTooltip",), 3),
    "an unknown kind of variable": (("templating", "list", 0, "type"), "choice"),
    "a text as place": ((*STAT, "gridPos", "x"), "0"),
    "an unknown kind of panel": ((*STAT, "type"), "graph"),
    "an unknown word of an enum": ((*STAT, "options", "colorMode"), "values"),
    "an option of another panel": ((*STAT, "options", "showHeader"), True),
    "an unknown option of a table": ((*TABLE, "options", "cellSize"), "sm"),
    "an unknown cell": ((*TABLE, "fieldConfig", "overrides", 0, "properties"),
                        [{"id": "custom.cellOptions", "value": {"type": "colour-text"}}]),
    "an unknown property of a column": ((*TABLE, "fieldConfig", "overrides", 0, "properties"),
                                        [{"id": "custom.colour", "value": "red"}]),
    "an unknown style of a series": ((*SERIES, "fieldConfig", "defaults", "custom", "thresholdStyle"), {"mode": "off"}),
    "a text as line width": ((*SERIES, "fieldConfig", "defaults", "custom", "lineWidth"), "2"),
    "an unknown mode of thresholds": ((*STAT, "fieldConfig", "defaults", "thresholds", "mode"), "fixed"),
    "a query that opens in the builder": ((*SERIES, "targets", 0, "editorType"), "builder"),
}  # fmt: skip


def broken(path, value):
    """Return a good board with one value changed."""
    board = copy.deepcopy(OVERVIEW)
    place = board
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return board


@pytest.fixture(scope="session")
def packages():
    """The installed packages of the lock file, once for each lock file."""
    npm = program("npm", "https://nodejs.org")
    lock = (SOURCE / "package-lock.json").read_bytes()
    folder = Path.home() / ".cache" / "watchkeeper" / f"grafana-types-{hashlib.sha256(lock).hexdigest()[:12]}"
    if (folder / "node_modules" / ".package-lock.json").exists():
        return folder / "node_modules"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SOURCE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    if ran.returncode:
        lacking(f"the npm packages cannot be had: {ran.stderr[-2_000:]}")
    return folder / "node_modules"


@pytest.fixture(scope="session")
def complaints(packages, tmp_path_factory):
    """What the compiler says about each module, by its name."""
    folder = tmp_path_factory.mktemp("types")
    (folder / "node_modules").symlink_to(packages)
    shutil.copy(SOURCE / "board.ts", folder)
    made = BOARDS | {slug(name): broken(*mistake) for name, mistake in MISTAKES.items()}
    for name, board in made.items():
        text = f"import type {{ Board }} from './board';\nexport const board: Board = {json.dumps(board, indent=1)};\n"
        (folder / f"{name}.ts").write_text(text)
    flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    files = ["board.ts", *(f"{name}.ts" for name in made)]
    command = ["node", packages / "typescript" / "bin" / "tsc", *flags, "--pretty", "false", *files]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    said = defaultdict(list)
    for name, line in re.findall(r"^([\w-]+)\.ts\(\d+,\d+\): (error .+(?:\n  .+)*)", ran.stdout, re.MULTILINE):
        said[name].append(line)
    assert said, ran.stdout + ran.stderr
    return said


def slug(name):
    """Return a sentence as the name of a file."""
    return name.replace(" ", "-")


@pytest.mark.parametrize("name", [*BOARDS, "board"])
def test_a_board_is_of_the_type_that_grafana_declares(complaints, name):
    """Every field, option and style of every panel has a name and a value that Grafana knows."""
    assert complaints.get(name, []) == []


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_does_not_compile(complaints, name):
    """The compiler sees a wrong name or value at every depth of a board."""
    assert complaints.get(slug(name), []) != []


def test_the_lock_file_names_no_registry():
    """Packages come from whatever registry npm is set to, and are held against their hashes."""
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all("resolved" not in package and package["integrity"].startswith("sha512-") for package in packages)
    wanted = json.loads((SOURCE / "package.json").read_text())["devDependencies"]
    assert {f"node_modules/{name}": version for name, version in wanted.items()} == {
        path: package["version"] for path, package in lock["packages"].items() if path
    }
