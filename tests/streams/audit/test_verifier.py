"""Nothing can be done to an audit log under a head that its verifier does not find, and a bare Python finds it too."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.audit import verifier
from streams.audit.heads import signed
from streams.audit.log import AuditLog, entry
from streams.audit.verifier import START, Check, Head, Line, canonical, digest, read_entry, read_head
from streams.settings import load
from tests.support.audit import bare

KEY = b"the key of the house"
COUNT = 12


def written(folder):
    """Return the lines of a log of a few entries, and a signed head of its end."""
    audit = AuditLog(folder, "1")
    audit.append(
        [entry("action", who=f"kim-{number}", did="note", about=["ä=\t"], status=200) for number in range(COUNT - 1)]
    )
    sequence, end = audit.end()
    assert sequence == COUNT
    head = signed(load(control_key=KEY.decode()), Head("1", sequence, end, "2026-11-28T06:00:00+00:00", ""))
    return (folder / "000000000001.jsonl").read_bytes().splitlines(), head


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log and its head."""
    return written(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A file for an export."""
    return tmp_path_factory.mktemp("export") / "export.jsonl"


def checked(lines, *heads):
    """Return what the check of some lines found."""
    check = Check(heads, [KEY])
    check.run(Line("log", number, line) for number, line in enumerate(lines, 1))
    return check


def again(line, **values):
    """Return an entry with other values and the hash that belongs to them, as who knows the code could write it."""
    changed = json.loads(line) | values
    return canonical(changed | {"hash": digest(changed)})


def test_a_log_that_nobody_touched_is_whole(log):
    """All entries are proven, and the head is signed."""
    lines, head = log
    check = checked(lines, head)
    assert (check.faults, check.entries, check.proven, check.log) == ([], COUNT, COUNT, "1")


@given(st.data())
def test_any_changed_byte_is_found(log, data):
    """Whatever byte of whatever entry becomes another one, that very line is named."""
    lines, head = log
    at = data.draw(st.integers(0, COUNT - 1))
    place = data.draw(st.integers(0, len(lines[at]) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != lines[at][place]))
    changed = lines[at][:place] + bytes([byte]) + lines[at][place + 1 :]
    first = checked([*lines[:at], changed, *lines[at + 1 :]], head).faults[0]
    assert (first.line, first.sequence) == (at + 1, at + 1)


@given(st.data())
def test_any_changed_byte_of_a_head_is_found(log, export, data):
    """A head that was bent is a fault, whether it can still be read or not."""
    lines, head = log
    whole = head.line()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    export.write_bytes(b"\n".join([whole[:place] + bytes([byte]) + whole[place + 1 :], *lines, b""]))
    heads, faults, rest = verifier.split([export])
    check = Check(heads, [KEY])
    check.run(rest)
    assert faults or check.faults


@given(st.integers(0, COUNT - 1), st.integers(1, COUNT))
def test_any_removed_entries_are_found(log, at, count):
    """Where they stood is named: the line that is there now, or the end of the log."""
    lines, head = log
    left = [*lines[:at], *lines[at + count :]]
    first = checked(left, head).faults[0]
    assert first.sequence == at + 1
    assert first.line == min(at + 1, len(left))


@given(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1))
def test_any_two_exchanged_entries_are_found(log, one, other):
    """The first of the two places is named."""
    lines, head = log
    swapped = list(lines)
    swapped[one], swapped[other] = lines[other], lines[one]
    found = checked(swapped, head).faults
    assert [each.line for each in found[:1]] == ([min(one, other) + 1] if one != other else [])


@given(st.integers(0, COUNT), st.integers(0, COUNT - 1), st.booleans())
def test_any_added_entry_is_found(log, at, copied, forged):
    """Also one that was made to follow the entry before it; behind the last head such a one is not proven yet."""
    lines, head = log
    previous = json.loads(lines[at - 1])["hash"] if at else START
    added = again(lines[copied], sequence=at + 1, previous=previous, who="eve") if forged else lines[copied]
    check = checked([*lines[:at], added, *lines[at:]], head)
    if forged and at == COUNT:
        assert (check.entries, check.proven) == (COUNT + 1, COUNT)
    else:
        assert check.faults[0].line - 1 in (at, at + 1)


@given(st.integers(0, COUNT - 1))
def test_a_log_written_anew_from_an_entry_on_is_found(log, at):
    """Every hash after the change is right again, and only the head tells."""
    lines, head = log
    forged, previous = list(lines), json.loads(lines[at - 1])["hash"] if at else START
    for place in range(at, COUNT):
        forged[place] = again(lines[place], previous=previous, **({"who": "eve"} if place == at else {}))
        previous = json.loads(forged[place])["hash"]
    assert [each.text[:24] for each in checked(forged, head).faults] == ["is another than it was a"]
    other = [again(forged[0], log="2"), *forged[1:]]
    assert checked(other, head).faults


def test_a_head_counts_only_with_the_signature_of_this_house(log):
    """One that is signed otherwise is a fault, one without a signature proves nothing, and so does none at all."""
    lines, head = log
    assert "is not signed" in checked(lines, head._replace(signature="v1=00")).faults[0].text
    assert "is not signed" in checked(lines, head._replace(sequence=3)).faults[0].text
    older = [head._replace(sequence=number, hash="0") for number in (5, 20, 21)]
    found = Check(older)
    found.run(Line("log", number, line) for number, line in enumerate(lines, 1))
    assert [each.sequence for each in found.faults] == [5, COUNT + 1]
    for known in ([], [head._replace(signature="")], [head._replace(log="2")]):
        assert "nothing proves its end" in checked(lines, *known).faults[0].text


@given(st.dictionaries(st.text("abz_", min_size=1), st.text() | st.integers(-(2**53), 2**53) | st.lists(st.text())))
def test_the_canonical_form_is_that_of_an_encoder_that_is_not_ours(values):
    """Sorted by name, compact, nothing escaped that need not be: byte by byte what msgspec writes."""
    said = entry("x", **{f"v_{name}": value for name, value in values.items()})
    assert canonical(said) == msgspec.json.encode(said, order="sorted")


@given(st.binary())
def test_nothing_that_a_line_may_hold_breaks_the_verifier(data):
    """It is no entry and no head."""
    assert read_entry(data) is None
    assert read_head(data) is None


@pytest.mark.parametrize("line", [b'{"hash":"\\ud800"}', b"[" * 100_000, b"9" * 5_000, b'{"hash":"","sequence":NaN}'])
def test_hostile_lines_are_faults(log, line):
    """Depth, length, lone surrogates and numbers that are none."""
    lines, head = log
    assert checked([line, *lines[1:]], head).faults[0].line == 1


def test_an_export_is_verified_by_a_bare_interpreter(log, tmp_path):
    """Without site packages and away from this tree: whole, with one entry changed, and with a head changed."""
    lines, head = log
    program, export, key = (tmp_path / name for name in ("verify_audit.py", "export.jsonl", "key"))
    program.write_text(Path(verifier.__file__).read_text())
    key.write_bytes(KEY + b"\n")
    whole = b"\n".join([head.line(), *lines, b""])
    export.write_bytes(whole)
    assert bare(program, export, "--key-file", key) == (
        0, f"{COUNT} entries are whole and in order; heads prove them up to entry {COUNT}\n"
    )  # fmt: skip
    export.write_bytes(whole.replace(b"kim-3", b"eve-3"))
    status, text = bare(program, export)
    assert status == 1
    assert text.startswith("export.jsonl, line 6, entry 5: was changed")
    export.write_bytes(whole.replace(b'"log":"1"', b'"log":1', 1))
    assert bare(program, export)[0] == 1
