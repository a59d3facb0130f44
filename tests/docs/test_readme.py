"""What the pages say is true: the commands, paths, settings and numbers that they name are those of the code."""

import re

import click
import pytest
import typer

from dashboards.boards import BOARDS
from docs import categories as categories_page
from docs import settings as settings_page
from schemas.categories import FAMILIES
from streams.commands.main import app
from streams.settings import Settings
from tests.docs.pages import PAGES, ROOMS, ROOT, TOLD, blocks, ids, spans

README = PAGES["README.md"]
NUMBERS = {"nine": 9, "ten": 10, "eleven": 11, "twelve": 12}
COMMAND = re.compile(r"^(?:\w+=\S+ )*watchkeeper ([^#`]+)")
TARGET = re.compile(r"\bmake ([a-z][a-z-]+)")
OWN_SECRETS = {"WATCHKEEPER_BUS_KEY"}
"""Variables of receivers that the pages make up as examples."""


def commands(text):
    """Return the command lines of a page."""
    return [match[1].strip() for span in spans(text) if (match := COMMAND.match(span.strip()))]


def paths(text):
    """Return what a page names in the tree."""
    found = [word for span in spans(text) for word in re.split(r"[\s(),:\"']+", span)]
    return [word.rstrip("./") for word in found if word.startswith(tuple(f"{room}/" for room in ROOMS))]


def test_the_readme_is_read_in_a_few_minutes():
    """It has eight kilobytes at most; what is more stands in a page that it links to."""
    assert len(README.encode()) <= 8 * 1024


def test_the_page_of_settings_is_the_one_that_the_code_would_write():
    """``python -m docs.settings`` would change nothing, and every setting has a meaning."""
    assert settings_page.FILE.read_text() == settings_page.page()
    assert all(field.description for field in Settings.model_fields.values())


def test_the_page_of_categories_is_the_one_that_the_code_would_write():
    """``python -m docs.categories`` would change nothing, and every code has a meaning."""
    assert categories_page.FILE.read_text() == categories_page.page()
    assert set(categories_page.meanings()) == set(FAMILIES)


def test_the_events_of_the_readme_are_the_example_that_is_run():
    """Its ten lines are those of the example, but for the address."""
    [block] = blocks(README, "python")
    example = (ROOT / "examples" / "send_event.py").read_text()
    own = [line.replace('"127.0.0.1:9092"', "sys.argv[1]") for line in block.splitlines() if line]
    assert len(own) <= 10
    assert set(own) <= set(example.splitlines())


@pytest.mark.parametrize(("name", "line"), ids({name: commands(text) for name, text in TOLD.items()}))
def test_every_command_that_is_named_exists(name, line):
    """Each of ``a|b``, down to its options, as the command itself parses them."""
    command = typer.main.get_command(app)
    words = re.sub(r"[\[\]]", " ", line).split()
    while words and isinstance(command, click.Group | typer.core.TyperGroup):
        names = words.pop(0).split("|")
        unknown = [each for each in names if each not in command.commands]
        assert not unknown, f"{name}: watchkeeper {line}: {unknown}"
        command = command.commands[names[0]]
    options = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
    asked = {word.split("=")[0] for word in words if word.startswith("--")}
    assert asked <= options | {"--help"}, f"{name}: watchkeeper {line}"


@pytest.mark.parametrize(("name", "path"), ids({name: paths(text) for name, text in TOLD.items()}))
def test_every_path_that_is_named_exists(name, path):
    """Files and folders of the tree; a star, or NAME, stands for any."""
    assert list(ROOT.glob(path.replace("NNNN", "*").replace("NAME", "*"))), name


@pytest.mark.parametrize(
    ("name", "target"), ids({name: TARGET.findall(" ".join(spans(text))) for name, text in TOLD.items()})
)
def test_every_target_of_make_exists(name, target):
    """What a page tells to make, the Makefile makes."""
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), name


@pytest.mark.parametrize("name", sorted(TOLD))
def test_every_variable_that_is_named_is_read(name):
    """A setting, or one that the code reads by its name."""
    named = set(re.findall(r"\bWATCHKEEPER_[A-Z_]*[A-Z]\b", TOLD[name]))
    known = {f"WATCHKEEPER_{field.upper()}" for field in Settings.model_fields} | OWN_SECRETS
    sources = "".join(
        path.read_text() for room in ("streams", "dashboards", "schemas") for path in (ROOT / room).rglob("*.py")
    )
    assert [each for each in named - known if each not in sources] == []


@pytest.mark.parametrize("name", ["README.md", "dashboards/README.md"])
def test_the_boards_are_counted_rightly(name):
    """There are as many as the page says."""
    said = re.findall(r"\b(\w+) boards\b", PAGES[name].lower())
    assert [NUMBERS[word] for word in said if word in NUMBERS] == [len(BOARDS)]


def test_every_runbook_is_in_the_list():
    """None is missing, and each stands under its own title."""
    for name, text in PAGES.items():
        if name.startswith("dashboards/runbooks/"):
            assert f"- [{text.splitlines()[0].removeprefix('# ')}](../{name})" in PAGES["docs/runbooks.md"]


def test_the_architecture_names_rooms_and_files_that_exist():
    """Each room of the tables is there with what to open first, and no room of `streams` is left out."""
    rows = re.findall(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \|$", PAGES["ARCHITECTURE.md"], re.MULTILINE)
    named = set()
    for rooms, files in rows:
        given = [room.strip("`") for room in rooms.split(", ")]
        named |= set(given)
        folders = [ROOT / base / room for room in given for base in (".", "streams")]
        for file in re.findall(r"`([^`]+)`", files):
            assert any((folder / file).is_file() or folder.name == file for folder in folders), (rooms, file)
    own = {path.parent.name for path in (ROOT / "streams").glob("*/__init__.py")}
    assert own <= named
