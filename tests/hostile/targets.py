"""What is fuzzed: each target takes any bytes and fails only where a worker would end, lose or shift a record."""

import contextlib
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
from kafka import TopicPartition

from schemas.fields import EARLIEST_UNIX_NANO
from schemas.windows import Window
from schemas.wire import InvalidRecordError, decoder, encode
from streams.api.alerts import AlertError, actions, read_notice
from streams.detect.judge import Judge
from streams.detect.merge import TickMerger
from streams.events.decode import Decoder, events_decoder
from streams.history.rows import rows_of
from streams.history.taken import dead_letter_rows
from streams.history.topics import PLAIN
from streams.history.worker import origin_of
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.severity import severity_of
from streams.incidents.fold.state import summary_of
from streams.kafka.letters import Letter
from streams.kafka.topics import TopicState
from streams.policy.policy import Policy, PolicyError, parse_policy
from streams.replay.send import ReplayError, read
from streams.worker.dead_letters import owner_of
from streams.worker.faust_app import LogBatch
from tests.hostile import fleet
from tests.hostile.windows import SECONDS, TICK, Record, knowing
from tests.streams.events.test_decode import NOW_MS, lanes, same
from tests.streams.events.test_decode import Record as Bytes

TOPIC = TopicState("t", "id", 1)
KINDS = [*PLAIN.values(), Window]
DECODERS = [decoder(kind) for kind in KINDS]
BATCHES = [Decoder(kind) for kind in PLAIN.values()]


def split(data: bytes) -> list[bytes]:
    """Return the records of an input: the lines between zero bytes, an empty one too."""
    return data.split(b"\x00")[:8]


def lanes_agree(data: bytes) -> None:
    """Whatever the records, both lanes give the same, and every record is somewhere."""
    records = [Bytes(value) for value in split(data)]
    fast, slow = lanes()
    for _ in range(2):
        same(fast(records), slow(records))


READER = events_decoder()


def met_before_agrees(data: bytes) -> None:
    """A reader that has met anything before gives the same as a new one."""
    records = [Bytes(value) for value in split(data)]
    same(READER(records), events_decoder()(records))


def every_topic(data: bytes) -> None:
    """A record of any topic is taken or refused; what is taken is the same after another trip, and makes rows."""
    at, value = ((data[0] if data else 0) - 66) % len(KINDS), data[1:]
    try:
        record = DECODERS[at](value, NOW_MS * 1_000_000)
    except InvalidRecordError as error:
        str(error).encode()  # as a header of its dead letter
        return
    assert DECODERS[at](encode(record), NOW_MS * 1_000_000) == record
    if at < len(BATCHES):
        batch = LogBatch(TOPIC, 0, (Bytes(value),), lambda: None)
        for columns in BATCHES[at]([Bytes(value)]).kinds.values():
            rows_of(columns, origin_of(batch))


def counted(data: bytes) -> None:
    """Events that are accepted are counted, and every count has a window."""
    values = split(data)
    records = [fleet.Record(value, NOW_MS + at * 1000) for at, value in enumerate(values)]
    end = fleet.event(NOW_MS // 1000 - fleet.START + 10_000, "end")
    for tick, groups in fleet.windows([*records, end], 3).items():
        assert tick >= EARLIEST_UNIX_NANO // 10**9 // fleet.SECONDS - 10
        for group in groups:
            encode(Window(source_topic="t", source_topic_id="i", source_partition=0, source_partitions=1,
                          tick_seconds=10, first_tick=tick, tick=tick, groups=[group]))  # fmt: skip
    batch = LogBatch(TOPIC, 0, tuple(records), lambda: None)
    for columns in events_decoder()(records).kinds.values():
        rows_of(columns, origin_of(batch))


DECODE_WINDOW = decoder(Window)


def judged(data: bytes) -> None:
    """Windows that are let in are judged and kept, whatever they say."""
    merger, judge, plausible = TickMerger(), Judge(SECONDS, 1.0, 50, Policy()), knowing()
    for value in split(data):
        try:
            window = DECODE_WINDOW(value, 0)
            plausible.check(window, Record(), 0)
        except InvalidRecordError:
            continue
        if merger.add(window):
            merger.sources = 1
            for tick, sums in merger.whole():
                judge.judge(tick, sums)
            judge.advance(merger.end())
    TickMerger().restore(merger.state())
    again = Judge(SECONDS, 1.0, 50, Policy())
    again.restore(judge.state())


FINDING, ACTION, CHANGE = (decoder(kind) for kind in KINDS if kind.__name__ in ("Finding", "IncidentAction", "Change"))


def folded(data: bytes) -> None:
    """Findings, actions and changes make incidents, in whatever order and with whatever times."""
    incident_log, entries = IncidentLog(severity_of(Policy())), []
    for value in split(data):
        for decode in (FINDING, ACTION, CHANGE):
            try:
                said = decode(value, NOW_MS * 1_000_000)
            except InvalidRecordError:
                continue
            entry = summary_of(said) if decode is FINDING else said
            entries += [entry] if entry is not None else []
    incident_log.folding.add(entries)
    for each in incident_log.news():
        encode(each)


def policies(data: bytes) -> None:
    """A policy file is read or refused with its line."""
    with contextlib.suppress(PolicyError):
        parse_policy(data.decode(errors="replace"))


def notices(data: bytes) -> None:
    """A notice of an alert manager is taken or refused, alert by alert."""
    try:
        told = actions(read_notice(data), lambda *_: None, NOW_MS * 1_000_000, NOW_MS * 1_000_000)
    except AlertError:
        return
    for each in told.said:
        encode(each)


def replayed(data: bytes) -> None:
    """A file of events is read up to the first line that is none, packed or not, whole or cut short."""
    for name, content in (("a.jsonl", data), ("a.jsonl.gz", _packed(data)), ("b.jsonl.gz", data)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            with contextlib.suppress(ReplayError):
                for event in read([path]):
                    encode(event)


def _packed(data: bytes) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
        packed.write(data)
    whole = out.getvalue()
    return whole[: len(whole) - len(data) % 3]


def letters(data: bytes) -> None:
    """Whatever stands among the dead letters, with whatever headers, is stored and listed, and has an owner."""
    names = ["origin-topic", "origin-partition", "origin-offset", "reason", "detail"]
    headers = list(zip(names, data.split(b"\x00"), strict=False))
    record = fleet.Record(data, NOW_MS, 1, tuple(headers))
    assert owner_of(record, 0)
    assert dead_letter_rows(batch := LogBatch(TOPIC, 0, (record,), lambda: None), origin_of(batch))
    named = {name: value.decode(errors="replace") for name, value in headers}
    assert Letter(named, data, TopicPartition("dead-letters.v1", 0), 0).origin


TARGETS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each
    for each in (
        lanes_agree, met_before_agrees, every_topic, counted, judged, folded, policies, notices, replayed, letters,
    )
}  # fmt: skip


def _fits(at: int, value: bytes) -> bool:
    try:
        DECODERS[at](value, 2**62)
    except InvalidRecordError:
        return False
    return True


def seeds() -> list[bytes]:
    """Return what is mutated: the examples of the contracts, recorded events, a window, a policy and a notice."""
    root = Path(__file__).parents[2]
    found = [path.read_bytes().strip() for path in sorted((root / "schemas" / "examples").rglob("*.json"))]
    compact = [msgspec.json.encode(json.loads(value)) for value in found]
    with gzip.open(root / "streams" / "demo" / "recorded" / "week.jsonl.gz", "rb") as lines:
        events = [line.strip() for line, _ in zip(lines, range(40), strict=False)]
    from tests.hostile.windows import group, window

    windows = [
        encode(window([group(mixes={"tool": {"a": 2}}, quantities={"latency": {"5": 3}}, guards={"ok": 1})],
                      source_partition=part, tick=TICK - 3 + part, first_tick=TICK - 5))
        for part in range(4)
    ]  # fmt: skip
    notice = {"alerts": [{"status": "firing", "labels": {"service": "a"}, "annotations": {}, "fingerprint": "f"}]}
    policy = b"budget: {pages_per_day: 1}\ndetectors: {rates: {leak: ticket}}\nservices: {a: {owner: x}}\n"
    singles = [*compact, *events, *windows, json.dumps(notice).encode(), policy]
    kinds = [bytes([66 + at]) + value for value in [*compact, *windows] for at in range(len(KINDS)) if _fits(at, value)]
    return [*singles, *kinds, b"\x00".join(events[:6]), b"\x00".join(windows), b"\x00".join(compact[:7])]
