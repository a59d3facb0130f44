"""However a process begins and ends, what it queued arrives: exits, signals, forks, threads, gunicorn, asyncio."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter

import pytest

from schemas.topics import INFERENCE
from streams.local.broker import free_port
from tests.faults.log import log
from tests.support.waiting import PATIENCE_SECONDS, wait_until

BEGIN = """
import asyncio, json, multiprocessing, os, sys, threading, time
import msgspec
from schemas.emitter import Emitter
began = time.monotonic()
emitter = Emitter.to_kafka(sys.argv[1], source="shop", topic=sys.argv[2])
assert time.monotonic() - began < 30
def many(count, who):
    for number in range(count):
        emitter.inference(service_name="chat", session_id=who, turn_index=number)
def say(**what):  # at once: a line that `print` writes in two pieces may have another process's between them
    os.write(1, (json.dumps(what) + chr(10)).encode())
"""


ASYNC = """
async def main():
    await asyncio.gather(*(asyncio.to_thread(many, 100, "a") for _ in range(5)))
    many(9, "b")
asyncio.run(main())
"""


def arrived(settings):
    """Return how many different events of each session are in the topic; the broker may still be writing the last."""
    values = [json.loads(record.value) for records in log(settings, INFERENCE).values() for record in records]
    events = {event["event_id"]: event for event in values}
    return Counter(event.get("session_id") for event in events.values())


def start(settings, code):
    """Start a service of its own process."""
    return subprocess.Popen(
        [sys.executable, "-c", BEGIN + code, settings.kafka, settings.topic(INFERENCE.name)],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("many(5000, 'a')", {"a": 5000}),
        ("many(5000, 'a'); emitter.close()", {"a": 5000}),
        ("for _ in range(8): threading.Thread(target=many, args=(200, 'a')).start()", {"a": 1600}),
        (ASYNC, {"a": 500, "b": 9}),
        ("many(3, 'a'); sys.exit('an error')", {"a": 3}),
    ],
    ids=["exit", "close", "threads", "asyncio", "error"],
)  # fmt: skip
def test_what_was_queued_arrives_after_a_normal_exit(kafka_settings, code, expected):
    """A service that ends, with or without `close`, has sent everything that it queued."""
    service = start(kafka_settings, code)
    service.communicate(timeout=PATIENCE_SECONDS)
    wait_until(lambda: arrived(kafka_settings) == expected)


def test_sigterm_flushes_and_then_ends_the_process(kafka_settings):
    """`kill` of a service without a handler of its own: 5,000 queued, 5,000 arrived, and its status is the signal's."""
    service = start(kafka_settings, "many(5000, 'a'); say(); time.sleep(600)")
    service.stdout.readline()
    service.terminate()
    service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == -signal.SIGTERM
    wait_until(lambda: arrived(kafka_settings) == {"a": 5000})


def test_sigterm_ends_a_service_without_kafka_within_a_bounded_time(kafka_settings):
    """Nothing to send to: the process ends all the same, after the seconds it may take to flush."""
    nowhere = kafka_settings.model_copy(update={"kafka": f"127.0.0.1:{free_port()}"})
    service = start(nowhere, "many(50, 'a'); say(); time.sleep(600)")
    service.stdout.readline()
    service.terminate()
    service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == -signal.SIGTERM


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_applications_own_handler_is_its_own(kafka_settings, order):
    """A handler that the application sets, earlier or later, is the one that runs; its exit flushes."""
    own = "import signal; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
    begin = BEGIN.replace("began =", own + "began =") if order == "before" else BEGIN + own
    service = subprocess.Popen(
        [sys.executable, "-c", begin + "many(100, 'a'); say(); time.sleep(600)", kafka_settings.kafka,
         kafka_settings.topic(INFERENCE.name)], stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    service.stdout.readline()
    service.terminate()
    service.communicate(timeout=PATIENCE_SECONDS)
    assert service.returncode == 7
    wait_until(lambda: arrived(kafka_settings) == {"a": 100})


FORK = """
many(10, "parent")
assert emitter.flush() == 0
many(10, "parent")  # still queued when it forks: they are the parent's
for number in range(2):
    if not os.fork():
        assert emitter.counts.emitted == 0
        many(100, "child")
        began = time.monotonic()
        say(child=msgspec.to_builtins(emitter.close()), seconds=time.monotonic() - began)
        os._exit(0)
for _ in range(2):
    os.wait()
many(10, "parent")
say(parent=msgspec.to_builtins(emitter.close()))
"""


def test_forked_children_send_their_own_events_and_no_others(kafka_settings):
    """Two forks with 100 events each: 200 arrive, counts are of the child alone, and the parent goes on."""
    out, _ = start(kafka_settings, FORK).communicate(timeout=PATIENCE_SECONDS)
    said = [json.loads(line) for line in out.splitlines()]
    assert [line["child"]["emitted"] for line in said if "child" in line] == [100, 100]
    assert said[-1]["parent"]["emitted"] == 30
    wait_until(lambda: arrived(kafka_settings) == {"child": 200, "parent": 30})


POOL = """
def work(number):
    emitter.inference(service_name="chat", session_id="pool", turn_index=number)
many(10, "parent")
with multiprocessing.get_context("fork").Pool(2) as pool:
    pool.map(work, range(200), 10)
many(10, "parent")
"""


def test_a_pool_of_forked_workers_that_is_terminated_loses_nothing(kafka_settings):
    """The way celery's prefork works: workers are ended by SIGTERM, and what they queued has arrived."""
    start(kafka_settings, POOL).communicate(timeout=PATIENCE_SECONDS)
    wait_until(lambda: arrived(kafka_settings) == {"pool": 200, "parent": 20})


APP = """
import os
from schemas.emitter import Emitter
emitter = Emitter.to_kafka(os.environ["KAFKA"], source="shop", topic=os.environ["TOPIC"])
emitter.inference(service_name="chat", session_id="master")
def app(environ, start_response):
    emitter.inference(service_name="chat", session_id="worker")
    start_response("200 OK", [])
    return [b""]
"""


def test_gunicorn_with_preload_sends_from_its_workers(kafka_settings, tmp_path):
    """An emitter made before gunicorn forks: every request's event arrives, the last ones by SIGTERM."""
    (tmp_path / "service.py").write_text(APP)
    port = free_port()
    environment = {"KAFKA": kafka_settings.kafka, "TOPIC": kafka_settings.topic(INFERENCE.name)}
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--preload", "-w", "2", "-b", f"127.0.0.1:{port}", "--pythonpath",
         str(tmp_path), "--no-control-socket", "service:app"],
        env=os.environ | environment, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for(port)
    for _ in range(200):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).close()
    server.terminate()
    server.communicate(timeout=PATIENCE_SECONDS)
    wait_until(lambda: arrived(kafka_settings) == {"worker": 200, "master": 1})


IMPORTS = """
before = set(sys.modules)
many(10, "a")
assert emitter.flush() == 0
say(imported=sorted(set(sys.modules) - before))
"""


def test_sending_imports_nothing_behind_the_back_of_a_service(kafka_settings):
    """A child that is forked while another thread imports never gets that module, and would never reach Kafka."""
    out, _ = start(kafka_settings, IMPORTS).communicate(timeout=PATIENCE_SECONDS)
    assert json.loads(out) == {"imported": []}


def wait_for(port):
    """Return when a port is listened to."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("nobody listens")
