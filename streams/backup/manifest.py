"""What a backup says of itself: the sum of every file, the schema, the topics, and how much there is of everything."""

import gzip
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
"""Raised when files are written in another way."""

_BLOCK: Final = 1 << 20


class BackupError(ValueError):
    """A backup can't be made or restored; the message says why and what to do."""


class Partition(Struct, frozen=True):
    """Offsets of a partition: the first that was held, the one that its next record gets, and records between."""

    begin: int
    end: int
    records: int


class SavedTopic(Struct, frozen=True):
    """A topic: the id that rows know it by, and its partitions in order."""

    topic_id: str
    partitions: list[Partition]


class Manifest(Struct, frozen=True, kw_only=True):
    """The manifest. Topics have no prefix here, groups neither; `schema` is the digest of each file of tables."""

    format: int = FORMAT
    made: str
    topic_prefix: str
    schema: dict[str, str]
    topics: dict[str, SavedTopic]
    groups: dict[str, list[tuple[str, int, int]]]
    rows: dict[str, int]
    secrets: list[str]
    files: dict[str, str] = {}

    def said(self) -> str:
        """Return in words how much there is."""
        records = sum(part.records for topic in self.topics.values() for part in topic.partitions)
        return (
            f"{sum(self.rows.values()):,} rows of {sum(map(bool, self.rows.values()))} tables, {records:,} records of "
            f"{len(self.topics)} topics, {len(self.files)} files"
        )


def sum_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def write_packed(file: Path, parts: Iterable[bytes]) -> None:
    """Write a compressed file; the same parts give the same bytes."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, 0) as out:
        for part in parts:
            out.write(part)


def seal(folder: Path, manifest: Manifest) -> Manifest:
    """Write the manifest of a folder, last: without it the folder is no backup."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    whole = msgspec.structs.replace(manifest, files={str(each.relative_to(folder)): sum_of(each) for each in files})
    part = folder / f"{MANIFEST}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(whole)))
    part.rename(folder / MANIFEST)
    return whole


def opened(folder: Path) -> Manifest:
    """Return the manifest of a folder whose every file is as it was written.

    Raises
    ------
    BackupError
        Where it is no backup, was made by a newer version, or a file is missing, damaged or none of it; named.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
        made_as = msgspec.json.decode(data, type=_Form).format
    except FileNotFoundError:
        raise BackupError(f"{folder} is no backup: it has no {MANIFEST}; one that was broken off has none") from None
    except msgspec.DecodeError as error:
        raise BackupError(f"{folder / MANIFEST} is damaged: {error}") from None
    if made_as > FORMAT:
        raise BackupError(f"{folder} has format {made_as}, and this version knows {FORMAT}; install a newer one")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupError(f"{folder / MANIFEST} is damaged: {error}") from None
    _check_files(folder, manifest)
    return manifest


class _Form(Struct):
    format: int


def _check_files(folder: Path, manifest: Manifest) -> None:
    found = {str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file()} - {MANIFEST}
    if missing := sorted(set(manifest.files) - found):
        raise BackupError(f"{folder / missing[0]} is missing, of {len(missing)}; restore from another copy")
    if strange := sorted(found - set(manifest.files)):
        raise BackupError(f"{folder / strange[0]} is none of the backup's files; take it away")
    for name, known in manifest.files.items():
        if sum_of(folder / name) != known:
            raise BackupError(f"{folder / name} is damaged: its SHA-256 is another; restore from another copy")
