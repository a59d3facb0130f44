"""What the page of threats says is shown by tests that there are, and it leaves nobody out."""

import re

from tests.docs.pages import PAGES, ROOT

WHO = {
    "Outsider on the network", "Another site's page", "Service with a principal of Kafka", "Person with a role",
    "Insider at a terminal", "Supplier of a package", "Provider of identity, or who stands before it",
    "Operator's mistake",
}  # fmt: skip


def rows():
    """Return the cells of each row, with who it is about where the row above says it."""
    lines = [line for line in PAGES["docs/threats.md"].splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def test_nobody_is_left_out():
    """Each of whom it speaks has rows, and each row says what they would do and how that is stopped."""
    found = rows()
    assert {who.strip("*") for who, *_ in found if who} == WHO
    assert all(len(row) == 5 and row[1] and row[2] for row in found)


def test_every_row_names_tests_that_there_are():
    """Each names files that hold a test, and nothing else."""
    for _, _, _, shown, _ in rows():
        named = re.findall(r"`([^`]+)`", shown)
        assert named, shown
        for path in named:
            assert re.fullmatch(r"tests/[a-z_/0-9]*/test_[a-z_0-9]+\.py", path), path
            assert re.search(r"^(async )?def test_", (ROOT / path).read_text(), re.MULTILINE), path
