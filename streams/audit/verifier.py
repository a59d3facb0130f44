"""Verifies an audit log; needs nothing but Python: ``python verify_audit.py [--key-file FILE] FILE...``.

An entry is one line: a JSON object in the canonical form of RFC 8785, with its number, the hash of the entry before it
(`previous`) and its own (`hash`): SHA-256 (FIPS 180-4) over the canonical form of the entry without `hash`. A head is a
line ``{"head": {...}, "signature": "..."}``: number and hash of the last entry at a time, signed with Ed25519 (RFC
8032) over the canonical form of what is under `head`, which names the public key too. Heads without a key are older:
they are signed with HMAC-SHA256 (RFC 2104), or not at all. Heads prove the end of a log, which no chain can. Where the
first entries were removed because of their age, an entry `removed` names number and hash of the last of them.

Entries hold text, whole numbers, and lists of text under ASCII names. For these the sorted compact form of Python's
`json` is that of RFC 8785: the order of names, the escapes and the numbers are the same.
"""

import argparse
import hashlib
import hmac
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from streams.audit.ed25519 import ED25519, numbers, verified
from streams.audit.sealed import KIND, told

START: Final = "0" * 64
"""What stands for the hash before the first entry."""
_HEAD: Final = b'{"head":'


class Fault(NamedTuple):
    """What is wrong, and where: a file and a line of it, and the number of an entry. 0 is no line, or no entry."""

    file: str
    line: int
    sequence: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}, entry {self.sequence}: {self.text}"


class Line(NamedTuple):
    """A line with its place."""

    file: str
    number: int
    data: bytes


class Head(NamedTuple):
    """The end of a log at a time, signed."""

    log: str
    sequence: int
    hash: str
    time: str
    signature: str
    key: str = ""

    def signed(self) -> dict[str, Any]:
        """Return what the signature is of."""
        said = {"hash": self.hash, "log": self.log, "sequence": self.sequence, "time": self.time}
        return said | {"key": self.key} if self.key else said

    def line(self) -> bytes:
        """Return it as a line."""
        return canonical({"head": self.signed(), "signature": self.signature})


def canonical(value: Mapping[str, Any]) -> bytes:
    r"""Return the canonical form of an entry or a head.

    >>> canonical({"who": "é\t/", "at": 1})
    b'{"at":1,"who":"\xc3\xa9\\t/"}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest(entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry."""
    return hashlib.sha256(canonical({name: value for name, value in entry.items() if name != "hash"})).hexdigest()


def read_entry(data: bytes) -> dict[str, Any] | None:
    """Return the entry of a line, as long as it is whole, canonical and has the hash that it says."""
    entry = _object(data)
    if entry is None or type(entry.get("sequence")) is not int:
        return None
    return entry if entry["hash"] == digest(entry) and canonical(entry) == data else None


def read_head(data: bytes) -> Head | None:
    """Return the head of a line, as long as it is whole and canonical; None where it is none."""
    try:
        found = json.loads(data)
        head = Head(**found["head"], signature=found["signature"])
        same = head.line() == data
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts = (head.log, head.hash, head.time, head.signature, head.key)
    return head if same and type(head.sequence) is int and all(isinstance(each, str) for each in texts) else None


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
        return found if isinstance(found, dict) and isinstance(found.get("hash"), str) and canonical(found) else None
    except (ValueError, RecursionError):
        return None


class Check:
    """Goes along a log and collects what is wrong with it.

    Parameters
    ----------
    heads
        That are known of this log, and of others.
    keys
        Public keys, as heads name them, and the secrets of older heads. Without any, signatures are not looked at; else
        heads without one prove nothing, nor older ones without their secret.
    """

    def __init__(self, heads: Iterable[Head] = (), keys: Sequence[bytes] = ()) -> None:
        self.faults: Final[list[Fault]] = []
        self.entries = 0
        self.proven = 0
        """The number of the last entry that a head proves."""
        self.log = ""
        self.reports: Final[dict[int, Mapping[str, Any]]] = {}
        self._public: Final = {key.decode(errors="replace") for key in keys if key.startswith(ED25519.encode())}
        self._secrets: Final = [key for key in keys if not key.startswith(ED25519.encode())]
        heads = [*heads]
        told = [head for head in heads if head.key or (head.signature and self._secrets)]
        self._heads: Final = told if keys else heads
        self._more: Final = "; older ones count with their secret" if len(self._heads) < len(heads) else ""
        self._wanted: Final = {head.sequence for head in self._heads}
        self._met: Final[dict[int, str]] = {}
        self._sequence, self._previous = 0, START
        self._last = Line("the log", 0, b"")
        self._begin: tuple[int, str, Line] | None = None
        self._explained = False

    def run(self, lines: Iterable[Line]) -> None:
        """Look at the lines of a log, in order, then hold the heads against them."""
        for line in lines:
            self._take(line)
            self._last = line
        self._hold_heads()

    def _take(self, line: Line) -> None:
        """Look at one line; after a fault the line itself says where the log goes on."""
        self.entries += 1
        due = self._sequence + 1
        entry = read_entry(line.data)
        if entry is None:
            self._fault(line, due, "was changed: it is not an entry with the hash that it says")
            said = (_object(line.data) or {}).get("hash", "")
            self._sequence, self._previous = due, said
            return
        number = entry["sequence"]
        if self.entries == 1 and number > 1:
            self._begin = number - 1, str(entry.get("previous")), line
            self._met[number - 1] = str(entry.get("previous"))
        elif number > due:
            self._fault(line, due, f"entries {due} to {number - 1} are missing before entry {number}")
        elif number < due:
            self._fault(line, number, f"stands where entry {due} is due: added, repeated or moved")
            return
        elif entry.get("previous") != self._previous:
            self._fault(line, number, "does not follow the entry before it: one of the two was changed or exchanged")
        if number == 1 or self._explains(entry):
            self.log = str(entry.get("log", ""))
        self._sequence, self._previous = number, entry["hash"]
        if entry.get("kind") == KIND:
            self.reports[number] = entry
        if number in self._wanted:
            self._met[number] = entry["hash"]

    def _explains(self, entry: Mapping[str, Any]) -> bool:
        """Tell whether an entry says that all before the first one was removed because of its age."""
        said = entry.get("kind"), entry.get("through"), entry.get("removed_hash")
        found = self._begin is not None and said == ("removed", *self._begin[:2])
        self._explained = self._explained or found
        return found

    def _hold_heads(self) -> None:
        """Hold the heads of this log against it; of those that tell the same, one is enough."""
        removed = self._begin[0] if self._begin is not None else 0
        if self._begin is not None and not self._explained:
            text = f"entries 1 to {removed} are missing before entry {removed + 1}"
            self.faults.insert(0, Fault(self._begin[2].file, self._begin[2].number, 1, text))
        known = (each for each in self._heads if self.log in ("", each.log) and each.sequence >= removed)
        ours = sorted(known, key=lambda head: head.sequence)
        agree = [head for head in ours if self._met.get(head.sequence) == head.hash]
        true = next((head for head in reversed(agree) if self._is_signed(head)), None)  # it proves all before it
        self.proven = true.sequence if true is not None else 0
        for head in [each for each in agree if each.sequence > self.proven][-1:]:
            self._unsigned(head)
        disagree = [head for head in ours if self._met.get(head.sequence) != head.hash]
        other = [head for head in disagree if self._is_signed(head) or self._unsigned(head)]
        for head in [each for each in other if each.sequence <= self._sequence][:1]:
            self._fault(self._last, head.sequence, f"is another than it was at {head.time}: the log was written anew")
        for head in [each for each in other if each.sequence > self._sequence][-1:]:
            text = f"the log was cut: it ends with entry {self._sequence}, and had {head.sequence} at {head.time}"
            self._fault(self._last, self._sequence + 1, text)
        if not ours:
            text = f"no head of this log is known, so that nothing proves its end{self._more}"
            self._fault(self._last, self._sequence, text)

    def _is_signed(self, head: Head) -> bool:
        """Tell whether a head has the signature of a key that is known; without any key each has."""
        if not head.key:
            return not self._secrets or any(_sealed(head, secret) for secret in self._secrets)
        return not (self._public or self._secrets) or (head.key in self._public and _signed(head))

    def _unsigned(self, head: Head) -> bool:
        by = f" ({head.key})" if head.key else ""
        self._fault(self._last, head.sequence, f"its head of {head.time} is not signed with the key of this house{by}")
        return False

    def _fault(self, line: Line, sequence: int, text: str) -> None:
        self.faults.append(Fault(line.file, line.number, sequence, text))


def _signed(head: Head) -> bool:
    return verified(numbers(head.key), canonical(head.signed()), numbers(head.signature))


def _sealed(head: Head, secret: bytes) -> bool:
    wanted = "v1=" + hmac.new(secret, canonical(head.signed()), hashlib.sha256).hexdigest()
    return hmac.compare_digest(head.signature.encode(errors="replace"), wanted.encode())


def lines_of(file: Path, most_bytes: int | None = None) -> Iterator[Line]:
    """Yield the lines of a file, up to a size of it."""
    taken = 0
    with file.open("rb") as opened:
        for number, data in enumerate(opened, 1):
            taken += len(data)
            if most_bytes is not None and taken > most_bytes:
                return
            whole = data.removesuffix(b"\n") if data.endswith(b"\n") else data + b"?"  # cut in the middle
            yield Line(file.name, number, whole)


def result(check: Check) -> str:
    """Return in words what a check came to."""
    if check.faults:
        return "\n".join(map(str, check.faults))
    return f"{check.entries} entries are whole and in order; heads prove them up to entry {check.proven}"


def result_of(report: Path, check: Check) -> tuple[bool, str]:
    """Tell whether a report is one of a log, whose check is over, and say it in words."""
    true, text = told(report.read_bytes(), check.reports, check.proven)
    return true, f"{report.name} {text}"


def split(files: Iterable[Path]) -> tuple[list[Head], list[Fault], Iterator[Line]]:
    """Return the heads in some files, what is wrong with them, and their other lines."""
    heads, faults = [], []
    for line in (line for file in files for line in lines_of(file) if line.data.startswith(_HEAD)):
        head = read_head(line.data)
        if head is None:
            faults.append(Fault(line.file, line.number, 0, "is no head: it was changed"))
        else:
            heads.append(head)
    return heads, faults, (line for file in files for line in lines_of(file) if not line.data.startswith(_HEAD))


def main(arguments: Sequence[str]) -> int:
    """Verify an export, or the files of a log in order; the status is 1 where something is wrong."""
    parser = argparse.ArgumentParser(description="Verifies an audit log of Watchkeeper.")
    parser.add_argument("files", nargs="+", type=Path, help="An export, or the files of a log in order, and heads.")
    parser.add_argument("--key-file", type=Path, action="append", help="File with the public key of the house.")
    parser.add_argument("--report", type=Path, action="append", default=[], help="A report: is it one of this log?")
    given = parser.parse_args(arguments)
    keys = [file.read_bytes().strip() for file in given.key_file or ()]
    heads, faults, lines = split(given.files)
    check = Check(heads, keys)
    check.faults.extend(faults)
    check.run(lines)
    reports = [result_of(file, check) for file in given.report]
    print("\n".join([result(check), *(text for _, text in reports)]))  # noqa: T201
    if not keys:
        named = ", ".join(sorted({head.key for head in heads if head.key})) or "none"
        print(f"signatures were not looked at, as no key was given; keys that heads name: {named}", file=sys.stderr)  # noqa: T201
    return 0 if not check.faults and all(true for true, _ in reports) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
