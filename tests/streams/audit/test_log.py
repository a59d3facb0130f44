"""The log in files: one chain whoever writes it, also after a death in the middle of a line."""

import subprocess
import sys

import pytest

from streams.audit import log as module
from streams.audit.log import AuditLog, entry, note
from streams.audit.verifier import Check, lines_of
from streams.settings import load
from tests.support.audit import kinds

WRITER = """
import sys
from pathlib import Path
from streams.audit.log import AuditLog, entry
for number in range(40):
    AuditLog(Path(sys.argv[1]), "1").append([entry("access", status=number)])
"""


def test_many_processes_write_one_chain(tmp_path):
    """Three processes that write at the same time leave all their entries in one chain."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "audit")]
    writers = [subprocess.Popen(command) for _ in range(3)]
    assert [each.wait(timeout=120) for each in writers] == [0, 0, 0]
    assert kinds(AuditLog(tmp_path / "audit", "1")) == ["begun", *["access"] * 120]


def test_a_long_log_goes_on_in_another_file(tmp_path, monkeypatch):
    """The chain goes on from file to file, also where a writer died before it wrote into the new one."""
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
    audit = AuditLog(tmp_path, "1")
    for number in range(5):
        audit.append([entry("access", status=number)])
    (tmp_path / "000000000007.jsonl").touch()
    AuditLog(tmp_path, "1").append([entry("access", status=6)])
    assert [file.name for file, _ in audit.parts()] == [f"{number:012}.jsonl" for number in (1, 3, 4, 5, 6, 7)]
    assert kinds(audit) == ["begun", *["access"] * 6]
    assert {file.stat().st_mode & 0o777 for file, _ in audit.parts()} == {0o600}


def test_a_line_that_a_death_cut_off_is_told_of(tmp_path):
    """The next writer takes it away and says so; the chain is whole."""
    AuditLog(tmp_path, "1").append([entry("access", status=1)])
    [(file, size)] = AuditLog(tmp_path, "1").parts()
    with file.open("ab") as out:
        out.write(b'{"hash":"half a li')
    assert [line.data[-1:] for line in lines_of(file, size)] == [b"}", b"}"]
    AuditLog(tmp_path, "1").append([entry("access", status=2)])
    assert kinds(AuditLog(tmp_path, "1")) == ["begun", "access", "gap", "access"]


def test_behind_a_line_that_was_bent_the_log_goes_on(tmp_path):
    """What is written afterwards is numbered on and readable, and the bent line stays where it is and is named."""
    audit = AuditLog(tmp_path, "1")
    audit.append([entry("access", status=1), entry("access", status=2)])
    [(file, _)] = audit.parts()
    file.write_bytes(file.read_bytes().replace(b'"status":2', b'"status":3000'))
    audit.append([entry("access", status=4)])
    check = Check()
    check.run(lines_of(file))
    assert [(each.line, each.sequence) for each in check.faults[:2]] == [(3, 3), (4, 4)]
    assert audit.end()[0] == 4


@pytest.fixture
def settings(tmp_path):
    """Settings of an installation in a folder."""
    return load(data_dir=tmp_path)


def test_a_command_away_from_the_installation_makes_no_log(tmp_path):
    """Where there is no data folder, none is made."""
    assert note(load(data_dir=tmp_path / "none"), [entry("export")]) == ""
    assert not (tmp_path / "none").exists()


def test_a_command_says_what_could_not_be_written(settings):
    """What the command did is done, and the person is told."""
    (settings.data_dir / "audit").touch()
    assert "could not be written to the audit log" in note(settings, [entry("export")])


def test_nobody_makes_an_entry_long(tmp_path):
    """Texts and lists are cut, and what no file can hold is replaced."""
    made = entry("access", who="x" * 10_000, about=["y" * 10_000] * 1_000, claimed="\ud800")
    assert (len(made["who"]), len(made["about"]), len(made["about"][0]), made["claimed"]) == (256, 16, 256, "?")
    AuditLog(tmp_path, "1").append([entry("access", about=["\x01" * 256] * 16)])
    assert kinds(AuditLog(tmp_path, "1")) == ["begun", "access"]
