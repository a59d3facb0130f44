"""Workers join, leave, die, freeze and lose the network, brokers die, partitions double; then everything is compared.

python -m tests.faults.campaign --disturbances 300 --seconds 1500 --brokers 3 --hosts 3

What is left afterwards equals one undisturbed pass over the log: rows, rollups, windows, findings, every array of the
detectors, incidents. Whoever died by itself is started again, as a supervisor would.
"""

import argparse
import itertools
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from importlib import resources
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from msgspec.structs import replace

from schemas.events import Inference
from schemas.fields import NANO
from schemas.guards import GuardFinding, GuardResult
from schemas.topics import INFERENCE, OTLP_SPANS
from streams.kafka.topics import client_arguments, create_topics
from streams.local.broker import die_with_parent, free_port
from streams.replay.send import AFTER_THE_END_NANO, Replay, read
from streams.settings import load
from streams.store.client import StoreUnavailableError, connect
from streams.store.schema.migrate import migrate
from tests.faults.compare import Comparison, unread
from tests.faults.fleet import KINDS, Fleet, doors
from tests.faults.log import committed
from tests.faults.spans import Spans
from tests.real.cluster import Cluster
from tests.real.hosts import Hosts

SESSION_SECONDS = 3
SEVERE_EVERY = 150
LONG_SECONDS = 120
"""A campaign has room for restarts of all workers, one after another, where it is no shorter."""
STILL_SECONDS = 150
"""Nothing moved for so long: it never will."""


class Campaign:
    """One run: events at a steady pace, disturbances at random moments, then the comparison."""

    def __init__(self, folder, disturbances, seconds, events, seed, brokers=1, *, doubling=True, hosts=None):
        self.folder, self.disturbances, self.seconds, self.events = folder, disturbances, seconds, events
        self.rng, self.doubling = random.Random(seed), doubling
        self.done, self.translated = Counter(), 0
        self.rolling = int(seconds >= LONG_SECONDS)
        self._later = []
        self._hosts = hosts or Hosts(0)
        self._cluster = Cluster(folder, brokers, doors(), self._hosts.address)
        self._store_port = free_port()
        self.settings = load(kafka=self._cluster.address(), clickhouse=f"http://{self._hosts.address}:{self._store_port}",
                             kafka_session_seconds=SESSION_SECONDS, data_dir=folder)  # fmt: skip

    def run(self):
        """Return the report; an `AssertionError` says what was lost or doubled."""
        store = subprocess.Popen(
            [sys.executable, "-m", "tests.real.store_server", str(self._store_port), str(self.folder / "store"),
             self._hosts.address],
            preexec_fn=die_with_parent,  # noqa: PLW1509
                start_new_session=True, stderr=(self.folder / "store.log").open("ab"),
        )  # fmt: skip
        try:
            self._cluster.start()
            create_topics(self.settings, replication=self._cluster.copies)
            self._make_tables()
            return self._played()
        finally:
            self._cluster.stop()
            store.kill()
            store.wait()

    def _make_tables(self):
        for _ in range(120):
            try:
                migrate(connect(self.settings))
            except StoreUnavailableError:
                time.sleep(0.5)
            else:
                return
        raise AssertionError("the store does not answer")

    def _played(self):
        environment = {"CLICKHOUSE": self.settings.clickhouse, "KAFKA_SESSION_SECONDS": str(SESSION_SECONDS),
                       "API_TOKEN": "token-of-the-campaign"}  # fmt: skip
        fleet = Fleet(self._cluster, environment, self.folder, self._hosts)
        try:
            for kind in (*KINDS, "watch", "detect", "history"):
                fleet.join(kind)
            began = time.monotonic()
            self._play(fleet)
            self._settle(fleet)
            played = time.monotonic() - began
        finally:
            fleet.stop()  # detect saves its state when it is told to stop
        report = Comparison(self.settings, self.events + self.translated).report()
        return report | {"disturbances": dict(self.done), "seconds": round(played)}

    def _play(self, fleet):
        with resources.as_file(resources.files("streams.demo.recorded") / "week.jsonl.gz") as week:
            events = [_harmed(each, at) for at, each in enumerate(itertools.islice(read([Path(week)]), self.events))]
        self._end = events[-1].time_unix_nano + 2 * AFTER_THE_END_NANO
        speed = (events[-1].time_unix_nano - events[0].time_unix_nano) / NANO / self.seconds
        middle, spans = len(events) // 2, Spans(self.settings)
        parts = [events[:middle], events[middle:]] if self.doubling else [events]
        for number, part in enumerate(parts):
            if number:
                self._double()
            player = _Player(self.settings, speed, spans.beside(part))
            player.start()
            pause = self.seconds / max(self.disturbances, 1)
            while player.is_alive():
                self._wait(fleet, self.rng.uniform(0.3, 1.7) * pause, player)
                if sum(self.done.values()) < self.disturbances * (number + 1) / len(parts):
                    self._disturb(fleet)
            assert player.error is None, player.error
        self.translated = spans.close()
        self._undo_all()

    def _double(self):
        """Double the partitions of the events; who reads them notices by itself."""
        self._undo_all()
        self._cluster.wait()  # a client that begins while a broker starts waits for longer than it has patience
        admin = KafkaAdminClient(**client_arguments(self.settings))
        name = self.settings.topic(INFERENCE.name)
        admin.create_partitions({name: 2 * INFERENCE.partitions})
        admin.close()
        self.done["partitions doubled"] += 1
        time.sleep(3)

    def _wait(self, fleet, seconds, player):
        end = time.monotonic() + seconds
        while time.monotonic() < end and player.is_alive():
            self._undo()
            fleet.tend()
            time.sleep(0.05)

    def _undo(self):
        """End the disturbances whose time is over."""
        now = time.monotonic()
        for item in [item for item in self._later if item[0] <= now]:
            self._later.remove(item)
            item[1]()

    def _undo_all(self):
        for _, undo in self._later:
            undo()
        self._later = []

    def _disturb(self, fleet):
        kinds = {"join": 3, "leave": 2, "leave killed": 2, "kill": 4, "freeze short": 2, "freeze long": 3,
                 "freeze all of a kind": 1, "cut off": 3, "broker": 1, "rolling restart": self.rolling}  # fmt: skip
        name = self.rng.choices(list(kinds), list(kinds.values()))[0]
        if getattr(self, "_" + name.replace(" ", "_"))(fleet, self.rng.choice(fleet.workers)):
            self.done[name] += 1

    def _join(self, fleet, worker):
        return fleet.join(worker.kind)

    def _leave(self, fleet, worker):
        return not worker.frozen and fleet.leave(worker)

    def _leave_killed(self, fleet, worker):
        return not worker.frozen and fleet.leave(worker, signal.SIGKILL)

    def _kill(self, fleet, worker):
        worker.signal(signal.SIGKILL)
        worker.process.wait()
        worker.start()
        return True

    def _freeze_short(self, fleet, worker):
        return self._freeze([worker], SESSION_SECONDS / 3)

    def _freeze_long(self, fleet, worker):
        return self._freeze([worker], SESSION_SECONDS * self.rng.uniform(1.5, 4))

    def _freeze_all_of_a_kind(self, fleet, worker):
        return self._freeze(fleet.of(worker.kind), SESSION_SECONDS * self.rng.uniform(1.5, 4))

    def _freeze(self, workers, seconds):
        for worker in workers:
            worker.frozen = True
            worker.signal(signal.SIGSTOP)

            def thaw(worker=worker):
                worker.frozen = False
                worker.signal(signal.SIGCONT)

            self._later.append((time.monotonic() + seconds, thaw))
        return True

    def _cut_off(self, fleet, worker):
        self._cluster.relays.cut(worker.door)
        seconds = SESSION_SECONDS * self.rng.uniform(0.5, 4)
        self._later.append((time.monotonic() + seconds, lambda: self._cluster.relays.mend(worker.door)))
        return True

    def _rolling_restart(self, fleet, worker):
        self._undo_all()
        return fleet.roll()

    def _broker(self, fleet, worker):
        if any(name == "broker" for _, name in getattr(self, "_down", [])):
            return False
        number = self.rng.randrange(self._cluster.brokers)
        self._cluster.kill_one(number)
        self._down = [(number, "broker")]

        def back():
            self._cluster.start_one(number)
            self._down = []

        self._later.append((time.monotonic() + self.rng.uniform(0, 8), back))
        return True

    def _settle(self, fleet):
        """Wait until everything is read, as long as anything moves."""
        moved, last, marked = time.monotonic(), None, False
        while True:
            fleet.tend()
            try:
                now = committed(self.settings)
                if not marked and not unread(self.settings, now, (OTLP_SPANS,)):
                    Replay(self.settings, None)._mark(self._end)  # time passes beyond what was translated last
                    marked = True
                if marked and not unread(self.settings, now):
                    return
            except KafkaError:
                now = last
            if now != last:
                moved, last = time.monotonic(), now
            if time.monotonic() - moved > STILL_SECONDS:
                words = [f"{worker.door}: {worker.words()}" for worker in fleet.workers]
                raise AssertionError("not everything is read\n" + json.dumps(str(now)) + "\n\n".join(words))
            time.sleep(1)


def _harmed(event, at):
    """Return an event, every so often one that is bad enough by itself to open an incident."""
    if at % SEVERE_EVERY or not isinstance(event, Inference):
        return event
    finding = GuardFinding(category="sec.exfiltration.tool", severity=4)
    guard = GuardResult(guard_name="dlp", layer="tool_call", status="ok", verdict="flag", action="none", mode="monitor",
                        findings=[finding])  # fmt: skip
    return replace(event, guards=[guard])


class _Player(threading.Thread):
    """Sends events in the background."""

    def __init__(self, settings, speed, events):
        super().__init__(daemon=True)
        self._replay, self._events, self.error = Replay(settings, speed), events, None

    def run(self):
        """Send them all."""
        try:
            self._replay.run(self._events)
        except Exception as error:  # noqa: BLE001  told by the campaign
            self.error = error


def main():
    """Run a campaign as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--disturbances", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=1500)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--brokers", type=int, choices=[1, 3], default=1)
    parser.add_argument("--hosts", type=int, default=0, help="spread the workers over hosts of their own")
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Hosts(chosen.hosts) as hosts:
        place = chosen.folder or Path(folder)
        given = (chosen.disturbances, chosen.seconds, chosen.events, chosen.seed, chosen.brokers)
        print(Campaign(place, *given, hosts=hosts).run())


if __name__ == "__main__":
    main()
