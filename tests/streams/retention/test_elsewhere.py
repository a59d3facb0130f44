"""What is too old goes from Kafka, from files and from the audit log, whose chain stays whole."""

import os
import time

import pytest

from schemas.topics import AUDIT_HEADS, DEAD_LETTERS, INCIDENTS, INFERENCE
from streams.audit import log as module
from streams.audit.log import AuditLog, entry, of
from streams.audit.signing import public_key, signed
from streams.audit.verifier import Check, Head, Line, lines_of
from streams.policy.retention import DAY, Retention
from streams.retention import audit, files, topics
from streams.settings import load
from tests.support.both_paths import send

NOW = 1_780_000_000
YEAR = 365 * DAY


@pytest.fixture
def settings(tmp_path):
    """Settings of a data folder, with a key for heads."""
    return load(data_dir=tmp_path, hash_key="k" * 32)


def written(folder, name, text, days):
    """Write a file that was written last so many days ago."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (NOW - days * DAY, NOW - days * DAY))
    return file


def test_a_log_begins_anew_each_day_and_old_ones_go(settings, tmp_path):
    """Who writes a log goes on in an empty file, what it said before lies beside it for its days; old reports go."""
    running = written(tmp_path, "logs/watch.log", "yesterday\n", 1)
    old = [written(tmp_path, "logs/watch.log.2026-04-01", "", 40), written(tmp_path, "reports/week.html", "", 400)]
    kept = [written(tmp_path, "logs/watch.log.2026-05-01", "", 3), written(tmp_path, "kafka/log/0.log", "data", 400)]
    with running.open("a") as writer:
        assert [(each.name, each.gone) for each in files.plan(settings, Retention(), NOW) if each.gone] == [
            ("logs", 1), ("reports", 1),
        ]  # fmt: skip
        gone = files.carry_out(settings, Retention(), NOW)
        writer.write("today\n")
    assert [(each.name, each.of, each.gone) for each in gone] == [("logs", "logs", 1), ("reports", "reports", 1)]
    assert [file.exists() for file in (*old, *kept)] == [False, False, True, True]
    assert running.read_text() == "today\n"
    assert (tmp_path / "logs/watch.log.2026-05-27").read_text() == "yesterday\n"
    assert files.carry_out(settings, Retention(), NOW) == []
    assert running.read_text() == "today\n"


@pytest.fixture
def long_log(settings, monkeypatch):
    """An audit log of several files, with a signed head of each entry."""
    monkeypatch.setattr(module, "SEGMENT_BYTES", 1)
    log = of(settings)
    heads = []
    for number in range(4):
        log.append([entry("access", status=number)])
        heads.append(signed(settings, Head("1", *log.end(), "2026-11-28T06:00:00+00:00", "")))
        log.keep(heads[-1])
    return log, heads


def checked(settings, log, heads, change=lambda lines: lines):
    """Return the check of a log whose lines somebody may have changed."""
    check = Check(heads, [public_key(settings).encode()])
    lines = [line for file, size in log.parts() for line in lines_of(file, size)]
    check.run(Line("log", number, data) for number, data in enumerate(change([each.data for each in lines]), 1))
    return check


def test_old_files_of_the_audit_log_go_and_the_rest_is_proven(settings, long_log):
    """After its years all but the last file have gone, an entry says so, and old and new heads hold."""
    log, heads = long_log
    now = log.parts()[0][0].stat().st_mtime + 8 * YEAR
    assert audit.carry_out(settings, Retention(), now - 2 * YEAR) == []
    [gone] = audit.carry_out(settings, Retention(), now)
    assert (gone.name, gone.gone) == ("audit", 3)
    assert [int(file.stem) for file, _ in log.parts()] == [5, 6]
    assert log.name() == "1"
    after = [*heads, signed(settings, Head("1", *log.end(), "2033-11-28T06:00:00+00:00", ""))]
    check = checked(settings, log, after)
    assert (check.faults, check.entries, check.proven, check.log) == ([], 2, 6, "1")
    AuditLog(module.folder_of(settings), "1").append([entry("access", status=9)])
    assert checked(settings, log, after).faults == []


def test_entries_that_went_without_a_word_are_missed(settings, long_log):
    """A log without its begin is a fault unless the chain names the very last entry that went; a head of it is held."""
    log, heads = long_log
    [first] = checked(settings, log, heads, lambda lines: lines[2:]).faults[:1]
    assert (first.sequence, first.text) == (1, "entries 1 to 2 are missing before entry 3")
    end = log.end()
    log.append([entry("removed", log="1", through=3, removed_hash="0" * 64)])
    after = [*heads, signed(settings, Head("1", end[0] + 1, log.end()[1], "2026-11-28T06:00:00+00:00", ""))]
    for begin in (2, 3, 4):
        assert checked(settings, log, after, lambda lines, begin=begin: lines[begin:]).faults[0].sequence == 1


def test_topics_keep_nothing_for_longer_than_the_policy(kafka_settings):
    """Kafka is told what is shorter, and once; the plan counts the records that are too old by then."""
    settings = kafka_settings
    send(settings, 0, 40)
    retention = Retention(text="3d", dead_letters="2d", incidents="30d", audit="1y")
    changed = topics.carry_out(settings, retention)
    named = {topic.name: changed.get(settings.topic(topic.name)) for topic in
             (INFERENCE, DEAD_LETTERS, INCIDENTS, AUDIT_HEADS)}  # fmt: skip
    assert {name: int(ms) / DAY / 1000 for name, ms in named.items()} == {
        INFERENCE.name: 3, DEAD_LETTERS.name: 2, INCIDENTS.name: 30, AUDIT_HEADS.name: 365,
    }  # fmt: skip
    assert topics.carry_out(settings, retention) == {}
    for days, gone in ((0, 0), (4, 40)):
        found = {each.name: each for each in topics.plan(settings, retention, time.time() + days * DAY)}
        assert found[settings.topic(INFERENCE.name)].gone == gone
