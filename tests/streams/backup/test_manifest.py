"""A backup knows each of its files, and says which one is not as it was written."""

import re

import msgspec
import pytest

from schemas.topics import TOPICS
from streams.access.kept import write
from streams.access.oidc.people import Book, Known, people_file, read_book
from streams.access.principals import create, read_tokens, tokens_file
from streams.audit.log import entry, of
from streams.backup.files import check_no_files, restore_files, save_files
from streams.backup.log import LOGS, STATE
from streams.backup.manifest import FORMAT, MANIFEST, BackupError, Manifest, opened, seal, write_packed
from streams.backup.tables import check_schema_of
from streams.settings import Settings
from streams.store.schema.ddl import TABLES
from streams.store.schema.migrate import digest, migrations

MADE = Manifest(made="2026-11-28", topic_prefix="", schema={}, topics={}, groups={}, rows={"a": 2}, secrets=[])


@pytest.fixture
def folder(tmp_path):
    """A backup of two files."""
    write_packed(tmp_path / "store" / "a" / "000000.tsv.gz", [b"n\n", b"1\n2\n"])
    (tmp_path / "settings.env").write_text("")
    seal(tmp_path, MADE)
    return tmp_path


def test_a_whole_backup_is_opened(folder):
    """The manifest holds the sum of each file, and says how much there is."""
    found = opened(folder)
    assert sorted(found.files) == ["settings.env", "store/a/000000.tsv.gz"]
    assert found.said() == "2 rows of 1 tables, 0 records of 0 topics, 2 files"


def test_a_file_that_is_not_as_it_was_is_named(folder):
    """One changed bit, a missing file, a strange one and a manifest cut short are refused, each by its name."""
    file = folder / "store" / "a" / "000000.tsv.gz"
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(BackupError, match=r"000000\.tsv\.gz is damaged"):
            opened(folder)
    file.unlink()
    with pytest.raises(BackupError, match=r"000000\.tsv\.gz is missing"):
        opened(folder)
    file.write_bytes(whole)
    (folder / "strange").touch()
    with pytest.raises(BackupError, match="strange is none of"):
        opened(folder)
    (folder / MANIFEST).write_bytes((folder / MANIFEST).read_bytes()[:-9])
    with pytest.raises(BackupError, match=rf"{re.escape(MANIFEST)} is damaged"):
        opened(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(BackupError, match="is no backup"):
        opened(folder)


def test_what_is_newer_is_refused(folder):
    """A later format, a file of tables that is not known, and one that is another say which version is wanted."""
    known = {name: digest(text) for name, text in migrations().items() if name.startswith(TABLES)}
    check_schema_of(msgspec.structs.replace(MADE, schema=dict(list(known.items())[:-1])))
    with pytest.raises(BackupError, match=r"has tables/9999_later\.sql, .*install a newer one"):
        check_schema_of(msgspec.structs.replace(MADE, schema=known | {"tables/9999_later.sql": "x"}))
    with pytest.raises(BackupError, match=r"0001_events\.sql is another"):
        check_schema_of(msgspec.structs.replace(MADE, schema=known | {"tables/0001_events.sql": "x"}))
    later = msgspec.json.decode((folder / MANIFEST).read_bytes()) | {"format": FORMAT + 1, "made": 7}
    (folder / MANIFEST).write_bytes(msgspec.json.encode(later))
    with pytest.raises(BackupError, match=f"has format {FORMAT + 1}"):
        opened(folder)


def test_every_topic_is_saved_and_what_is_made_of_it_before():
    """No topic is left out, and none twice; events come behind the windows, rows and letters made of them."""
    saved = [topic.name for topic in (*STATE, *LOGS)]
    assert sorted(saved) == sorted(topic.name for topic in TOPICS)
    order = [
        "checkpoints.v1",
        "deliveries.v1",
        "incidents.v1",
        "findings.v1",
        "windows.v1",
        "inference.v1",
        "otlp_spans",
    ]
    assert sorted(order, key=saved.index) == order


def test_files_come_back_and_no_secret_is_among_them(tmp_path):
    """Tokens' hashes, names, audit log, policy and records set aside are there again; of secrets the names alone."""
    (tmp_path / "policy.yaml").write_text("{}\n")
    secrets = {"api_token": "hidden-1", "control_key": "hidden-2", "kafka_password": "hidden-3"}
    there = Settings(
        data_dir=tmp_path / "a", policy=tmp_path / "policy.yaml", clickhouse="http://me:hidden-4@ch:8123", **secrets
    )
    given = create(tokens_file(there), "kim", ("viewer",), 3600)
    book = Book(names=(Known("oidc/kim", "https://login.example", "4711", 0.0),))
    write(people_file(there), book)
    of(there).append([entry("sign_in", who="kim")])
    memory = there.data_dir / "sentinel-watch-1" / "memory"
    memory.parent.mkdir()
    memory.write_text("{}")
    (tmp_path / "saved").mkdir()
    save_files(there, tmp_path / "saved")
    saved = {file: file.read_text() for file in (tmp_path / "saved").rglob("*") if file.is_file()}
    assert not [file for file, text in saved.items() if "hidden-" in text or given in text]
    assert (tmp_path / "saved" / "settings.env").read_text().splitlines()[
        0
    ] == "WATCHKEEPER_CLICKHOUSE=http://me@ch:8123"
    assert (tmp_path / "saved" / "policy.yaml").read_text() == "{}\n"
    here = there.model_copy(update={"data_dir": tmp_path / "b"})
    check_no_files(here)
    restore_files(here, tmp_path / "saved")
    assert read_tokens(tokens_file(here)) == read_tokens(tokens_file(there))
    assert read_book(people_file(here)) == book
    assert of(here).end() == of(there).end()
    assert (here.data_dir / "sentinel-watch-1" / "memory").read_text() == "{}"
    with pytest.raises(BackupError, match="is there already"):
        check_no_files(here)
