"""Nothing can be done to an audit log under a head that its verifier does not find, and a bare Python finds it too."""

import json
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.signature import sign
from streams.audit import verifier
from streams.audit.log import AuditLog, entry
from streams.audit.reading import program
from streams.audit.signing import public_key, signed
from streams.audit.verifier import START, Check, Head, Line, canonical, digest, read_entry, read_head
from streams.settings import load
from tests.support.audit import bare

HOUSE = load(hash_key="the key of the house")
PUBLIC = public_key(HOUSE).encode()
SECRET = b"the secret of older heads"
COUNT = 12


def written(folder):
    """Return the lines of a log of a few entries, and a signed head of its end."""
    audit = AuditLog(folder, "1")
    audit.append(
        [entry("action", who=f"kim-{number}", did="note", about=["ä=\t"], status=200) for number in range(COUNT - 1)]
    )
    sequence, end = audit.end()
    assert sequence == COUNT
    head = signed(HOUSE, Head("1", sequence, end, "2026-11-28T06:00:00+00:00", ""))
    return (folder / "000000000001.jsonl").read_bytes().splitlines(), head


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """A log and its head."""
    return written(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """A file for an export."""
    return tmp_path_factory.mktemp("export") / "export.jsonl"


def checked(lines, *heads, keys=(PUBLIC,)):
    """Return what the check of some lines found."""
    check = Check(heads, keys)
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
    check = Check(heads, [PUBLIC])
    check.run(rest)
    assert faults or check.faults


OTHER_FORMS = {
    "capitals": lambda whole: re.sub(rb'(?<="signature":"ed25519:)[0-9a-f]+', lambda digits: digits[0].upper(), whole),
    "spaces between digits": lambda whole: whole.replace(b'"signature":"ed25519:', b'"signature":"ed25519: '),
    "spaces between names": lambda whole: whole.replace(b",", b", "),
    "escapes": lambda whole: whole.replace(b"ed25519:", b"ed\\u00325519:"),
    "another order": lambda whole: json.dumps(dict(reversed(json.loads(whole).items()))).encode(),
    "a name twice": lambda whole: whole.replace(b'"log":"1"', b'"log":"2","log":"1"'),
    "half a character": lambda whole: whole.replace(b'"log":"1"', b'"log":"\\ud800"'),
}


@pytest.mark.parametrize("form", OTHER_FORMS)
def test_a_head_has_one_form(log, export, form):
    """What says the same in other bytes was bent too; digits of chance would else decide whether that is found."""
    lines, head = log
    other = OTHER_FORMS[form](head.line())
    assert other != head.line()
    export.write_bytes(b"\n".join([other, *lines, b""]))
    heads, faults, rest = verifier.split([export])
    check = Check(heads, [PUBLIC])
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
    assert "is not signed" in checked(lines, head._replace(signature="ed25519:00")).faults[0].text
    assert "is not signed" in checked(lines, head._replace(sequence=3)).faults[0].text
    stranger = signed(load(hash_key="another house"), head)
    assert f"is not signed with the key of this house ({stranger.key})" in checked(lines, stranger).faults[0].text
    assert checked(lines, stranger, head).proven == COUNT
    older = [head._replace(sequence=number, hash="0") for number in (5, 20, 21)]
    found = Check(older)
    found.run(Line("log", number, line) for number, line in enumerate(lines, 1))
    assert [each.sequence for each in found.faults] == [5, COUNT + 1]
    for known in ([], [head._replace(key="", signature="")], [head._replace(log="2")], [sealed(head)]):
        assert "nothing proves its end" in checked(lines, *known).faults[0].text


def sealed(head, secret=SECRET):
    """Return a head as it was signed before there were public keys."""
    old = head._replace(key="", signature="")
    return old._replace(signature=sign(canonical(old.signed()), secret))


def test_an_older_head_counts_for_whoever_has_its_secret(log):
    """With the secret it proves the log; a forged one is a fault; with a public key alone it is left out."""
    lines, head = log
    old = sealed(head)
    assert read_head(old.line()) == old
    assert checked(lines, old, keys=[SECRET]).proven == COUNT
    assert checked(lines, old).faults[0].text.endswith("older ones count with their secret")
    assert checked(lines, old, keys=[SECRET, PUBLIC]).faults == []
    assert "is not signed" in checked(lines, sealed(head, b"guessed"), keys=[SECRET, PUBLIC]).faults[0].text
    assert checked(lines[:9], sealed(head._replace(sequence=5)), head).faults[-1].text.startswith("the log was cut")
    assert checked(lines, sealed(head._replace(hash="0")), head).faults == []


@given(st.lists(st.sampled_from(["signed", "forged", "bent", "older"]), max_size=6))
def test_a_head_proves_only_what_is_signed(log, kinds):
    """Whatever heads lie in a row, the log is proven up to the last one that is signed, and a forged end is a fault."""
    lines, head = log
    made, best = [], 0
    for number, kind in enumerate(kinds, 2):
        true = signed(HOUSE, head._replace(sequence=number, hash=json.loads(lines[number - 1])["hash"]))
        best = number if kind == "signed" else best
        bent = true._replace(signature=true.signature[:-1] + ("0" if true.signature[-1] != "0" else "1"))
        forged = signed(load(hash_key="another house"), true)
        made.append({"signed": true, "forged": forged, "bent": bent, "older": sealed(true)}[kind])
    check = checked(lines, *made)
    assert check.proven == best
    behind = [kind for number, kind in enumerate(kinds, 2) if number > best and kind != "older"]
    assert bool(check.faults) == (bool(behind) or not best)


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
    alone, export, key = (tmp_path / name for name in ("verify_audit.py", "export.jsonl", "key"))
    alone.write_text(program())
    key.write_bytes(PUBLIC + b"\n")
    whole = b"\n".join([head.line(), *lines, b""])
    export.write_bytes(whole)
    assert bare(alone, export, "--key-file", key) == (
        0, f"{COUNT} entries are whole and in order; heads prove them up to entry {COUNT}\n"
    )  # fmt: skip
    assert bare(alone, export)[0] == 0
    key.write_text(public_key(load(hash_key="another house")))
    assert "is not signed with the key of this house" in bare(alone, export, "--key-file", key)[1]
    export.write_bytes(whole.replace(b"kim-3", b"eve-3"))
    status, text = bare(alone, export)
    assert status == 1
    assert text.startswith("export.jsonl, line 6, entry 5: was changed")
    export.write_bytes(whole.replace(b'"log":"1"', b'"log":1', 1))
    assert bare(alone, export)[0] == 1
