"""The site is built from every page, and a link that leads nowhere breaks it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import PAGES, ROOT

STRICT = ("-q", "-W", "--keep-going", "-n", "-j", "1")


def build(source, target):
    """Build the site as ``make docs`` does."""
    command = [sys.executable, "-m", "sphinx", *STRICT, "-c", source / "docs", source, target]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_make_docs_is_as_strict_as_this_test():
    """What the check refuses, `make docs` refuses."""
    recipe = re.search(r"^docs:.*\n(?:\t.*\n)+", (ROOT / "Makefile").read_text(), re.MULTILINE)[0]
    assert " ".join(STRICT[:4]) in recipe


def test_the_site_is_built_without_a_warning_from_every_page(tmp_path):
    """Links between pages, to headings and to files of the tree hold; each page is in the index."""
    done = build(ROOT, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    built = {str(path.relative_to(tmp_path / "site")) for path in (tmp_path / "site").rglob("*.html")}
    assert {name.removesuffix(".md") + ".html" for name in PAGES} <= built


def test_every_page_is_linked_from_another():
    """Who starts at the README or at the index comes to each page."""
    reached, open_ = set(), {"README.md", "docs/index.md"}
    while open_:
        page = open_.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)#]+\.md)", PAGES[page])
        open_ |= {os.path.normpath(Path(page).parent / link) for link in links} - reached
    assert reached == set(PAGES)


BROKEN = ("deploy.md", "other.md#no-such-heading", "../no_such_file.py")


def test_a_broken_link_breaks_the_site(tmp_path):
    """A page, a heading and a file that are not there are each an error; one that is there is none."""
    folder = tmp_path / "docs"
    folder.mkdir()
    shutil.copy(ROOT / "docs" / "conf.py", folder)
    links = "\n\n".join(f"[a]({link})" for link in (*BROKEN, "other.md#a-heading"))
    (folder / "index.md").write_text(f"# A\n\n```{{toctree}}\nother\n```\n\n{links}\n")
    (folder / "other.md").write_text("# Other\n\n## A heading\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert [line for line in done.stderr.splitlines() if "WARNING" not in line and line.strip()] == []
    assert [any(link.split("#")[-1] in line for line in done.stderr.splitlines()) for link in BROKEN] == [True] * 3
    assert done.stderr.count("index.md:") == len(BROKEN)
