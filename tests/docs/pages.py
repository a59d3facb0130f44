"""The pages that people read, and what they name."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("streams", "schemas", "detectors", "dashboards", "tests", "docs", "examples")
FLAT = (".", "docs", "examples")
DEEP = ("schemas", "streams", "dashboards")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def pages():
    """Return every page, by its path from the root."""
    found = [path for folder in FLAT for path in (ROOT / folder).glob("*.md")]
    found += [path for folder in DEEP for path in (ROOT / folder).rglob("*.md")]
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(found) if path.name != "ATTRIBUTION.md"}


PAGES = pages()
TOLD = {name: text for name, text in PAGES.items() if name != "CHANGELOG.md"}
"""All but the changelog, which tells of the past."""


def spans(text):
    """Return what a page has in code: spans, and the lines of its blocks."""
    lines = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    return CODE.findall(BLOCK.sub("", text)) + lines


def blocks(text, language):
    """Return the blocks of code of a language."""
    return [block for name, block in BLOCK.findall(text) if name == language]


def ids(named):
    """Return pages with what they name as parameters of a test, each once."""
    return sorted({(name, item) for name, items in named.items() for item in items})
