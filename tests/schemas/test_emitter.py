"""The emitter never blocks, never raises, and tells what it dropped."""

import subprocess
import sys
import threading
import zipfile

import pytest

from docs.lock import locked
from schemas.emitter import Emitter
from schemas.events import Event, Telemetry
from schemas.topics import INFERENCE
from schemas.wire import decoder
from tests.faults.log import log

decode = decoder(Event)


def records(sent):
    """Return what was sent, decoded."""
    return [decode(value, 2**62) for _, value, _ in sent]


def test_events_are_sent_with_key_and_cloudevents_headers():
    """An event goes out under its session's key, with the attributes of CloudEvents."""
    sent = []
    with Emitter(lambda *record: sent.append(record), source="shop") as emitter:
        emitter.inference(service_name="chat", session_id="s1", trace_id="t", span_id="p")
        emitter.agent_step(service_name="chat", step_kind="plan", trace_id="t")
    assert [key for key, _, _ in sent] == [b"s1", b"t"]
    assert dict(sent[0][2])["ce_type"] == b"ai.safety.inference.v1"
    assert records(sent)[0].source == "shop"
    assert emitter.counts.emitted == 2


def test_a_full_queue_drops_counts_and_says_so():
    """While Kafka is stuck the service goes on; what was dropped is reported in the stream."""
    stuck, sent = threading.Event(), []

    def send(*record):
        stuck.wait(30)
        sent.append(record)

    emitter = Emitter(send, source="shop", queue_events=5)
    for _ in range(50):
        emitter.inference(service_name="chat")
    dropped = emitter.counts.dropped
    stuck.set()
    emitter.close()
    report = records(sent)[-1]
    assert dropped >= 44
    assert isinstance(report, Telemetry)
    assert (report.dropped, report.emitted) == (dropped, 50 - dropped)


@pytest.mark.parametrize(
    "fields", [{}, {"service_name": 3}, {"service_name": "x", "duration_ms": -1.0}, {"service_name": "x", "nope": 1}]
)
def test_wrong_events_are_counted_and_never_raise(fields):
    """An event against the contract is refused and counted; the service does not notice."""
    sent = []
    with Emitter(lambda *record: sent.append(record), source="shop") as emitter:
        emitter.inference(**fields)
    assert emitter.counts.refused == 1
    assert [type(record) for record in records(sent)] == [Telemetry]


def test_a_failing_send_is_counted():
    """What Kafka refuses is counted as dropped."""

    def send(*record):
        raise OSError("gone")

    with Emitter(send, source="shop") as emitter:
        emitter.inference(service_name="chat")
    assert emitter.counts.dropped == 1


def test_it_reaches_a_real_broker(kafka_settings):
    """Events emitted with kafka-python are in the topic, with Kafka's time and not the event's."""
    name = kafka_settings.topic(INFERENCE.name)
    with Emitter.to_kafka(kafka_settings.kafka, source="shop", topic=name) as emitter:
        for number in range(300):
            emitter.inference(service_name="chat", session_id=str(number), time_unix_nano=1_600_000_000 * 10**9)
        emitter.flush()
    by_partition = log(kafka_settings, INFERENCE)
    got = [record for records in by_partition.values() for record in records]
    assert len(got) == 300
    assert all(record.timestamp > 1_700_000_000_000 for record in got)
    assert sum(bool(records) for records in by_partition.values()) == 4


SERVICE = """
import schemas, sys
assert schemas.mine
from watchkeeper_events.emitter import Emitter
sent = []
with Emitter(lambda *record: sent.append(record), source="shop") as emitter:
    emitter.inference(service_name="chat")
assert len(sent) == 1
from watchkeeper_events.vendors import guards_from_llama_guard
assert guards_from_llama_guard("unsafe\\nS1")[0].findings[0].category == "content.vcr"
import kafka
for absent in ("faust", "clickhouse_connect", "pyarrow", "numpy"):
    try:
        __import__(absent)
    except ImportError:
        continue
    raise SystemExit(f"{absent} came along")
"""


@pytest.mark.kafka  # needs the network: the wheel is built and installed like any other
def test_the_small_wheel_lives_beside_a_service_of_its_own(tmp_path):
    """Installed alone in a service that has a package `schemas` itself, it emits, and brings nothing else along."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*build, "./schemas"], check=True)
    [wheel] = tmp_path.glob("watchkeeper_events-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "watchkeeper_events/emitter/__init__.py" in names
    assert not [name for name in names if "tables" in name or "examples" in name or "kpis" in name]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = str(tmp_path / "env" / "bin" / "python")
    (tmp_path / "locked.txt").write_text("".join(f"{name}=={each.version}\n" for name, each in locked().items()))
    install = [python, "-m", "pip", "install", "--quiet", "-c", str(tmp_path / "locked.txt"), str(wheel)]
    subprocess.run(install, check=True)
    (tmp_path / "schemas.py").write_text("mine = True\n")
    subprocess.run([python, "-c", SERVICE], check=True, cwd=tmp_path)
