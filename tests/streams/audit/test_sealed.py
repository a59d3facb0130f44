"""A report is known as the one that was made, by its entry in the log, and any other is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.audit.log import AuditLog, entry
from streams.audit.reading import program
from streams.audit.sealed import KIND, PLACE, digest_of, told, with_entry
from streams.audit.signing import public_key, signed
from streams.audit.verifier import Check, Head, lines_of
from streams.settings import load
from tests.support.audit import bare

HOUSE = load(hash_key="house")
PAGES = [f"<html><p>{name}: 1.5 % — ä</p>\n{PLACE}\n</html>\n" for name in ("one", "two")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A log with two reports, the second of which no head proves yet; and their pages."""
    folder = tmp_path_factory.mktemp("log")
    log, pages = AuditLog(folder / "audit", "1"), []
    for page in PAGES:
        place = log.append([entry("access"), entry(KIND, who="kim", sha256=digest_of(page.encode()))])
        pages.append(with_entry(page, *place).encode())
        if len(pages) == 1:
            log.keep(signed(HOUSE, Head("1", *place, "2026-11-28T06:00:00+00:00", "")))
    return log, pages


def checked(log):
    """Return the check of a log."""
    check = Check(log.heads(), [public_key(HOUSE).encode()])
    check.run(line for file, size in log.parts() for line in lines_of(file, size))
    assert check.faults == []
    return check


def test_a_report_is_the_one_of_its_entry(made):
    """Who made it and when is said, and that the second is behind the last head."""
    log, pages = made
    check = checked(log)
    found = [told(page, check.reports, check.proven) for page in pages]
    assert [true for true, _ in found] == [True, True]
    assert [text.partition(" at ")[0] for _, text in found] == [
        "is the one of entry 3, made by kim", "is the one of entry 5, made by kim",
    ]  # fmt: skip
    assert [text.endswith("no head proves that entry yet") for _, text in found] == [False, True]


@given(st.data())
def test_any_changed_byte_of_a_report_is_found(made, data):
    """Also of what names its entry: whatever byte becomes another, it is no report of this log."""
    log, (page, _) = made
    check = checked(log)
    at = data.draw(st.integers(0, len(page) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != page[at]))
    assert not told(page[:at] + bytes([byte]) + page[at + 1 :], check.reports, check.proven)[0]


def test_what_was_not_made_here_is_no_report_of_the_log(made):
    """One without an entry, with that of another, with two, and with something else in its place."""
    log, (one, two) = made
    check = checked(log)
    seal = one[one.index(b'<p id="seal">') : one.index(b"\n</html>")]
    for page in (
        PAGES[0].encode(), one.replace(b"one", b"two"), one + seal, two.replace(b"Entry 5", b"Entry 3"),
        one.replace(b"</p>\n</html>", b"<b>true</b></p>\n</html>"), one.replace(b"Entry 3", b"Entry 2"), b"",
        one.replace(b"Entry 3", b"Entry 03"),
    ):  # fmt: skip
        assert not told(page, check.reports, check.proven)[0]
    rewritten = one.replace(b"1.5 %", b"0.1 %").replace(digest_of(one).encode(), b"")
    assert told(rewritten, check.reports, check.proven)[1].startswith("was changed")


def test_whoever_has_log_and_report_needs_nothing_but_python(made, tmp_path):
    """The program for auditors knows the one that was made from the one that was changed."""
    log, (one, _) = made
    alone, report, changed = (tmp_path / name for name in ("verify_audit.py", "report.html", "changed.html"))
    alone.write_text(program())
    report.write_bytes(one)
    changed.write_bytes(one.replace(b"1.5 %", b"0.1 %"))
    files = [log.parts()[0][0].with_name("heads"), *(file for file, _ in log.parts())]
    status, text = bare(alone, *files, "--report", report)
    assert (status, "report.html is the one of entry 3" in text) == (0, True)
    status, text = bare(alone, *files, "--report", report, "--report", changed)
    assert (status, "changed.html was changed" in text) == (1, True)
