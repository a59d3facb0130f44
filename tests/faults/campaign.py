"""Kill workers and broker at random under load, then hold every row, window and detector array against the log.

python -m tests.faults.campaign --kills 200 --seconds 400
"""

import argparse
import itertools
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from schemas.topics import CHECKPOINTS, INFERENCE, WINDOWS
from streams.checkpoints import Checkpoints
from streams.counting import countable
from streams.decode import events_decoder
from streams.demo import _lag
from streams.flags import event_flags
from streams.judge import Judge
from streams.kafka_admin import check_topics, client_arguments
from streams.local.broker import free_port
from streams.merge import united
from streams.policy import Policy
from streams.publisher import Publisher
from streams.reduce import reduce_tick
from streams.replay import Replay, read
from streams.sessions import Memory
from streams.settings import WORKER_PORTS as PORTS
from streams.settings import load
from streams.sql_client import ask_rows as rows
from streams.ticks import PartitionTicks
from streams.up import Installation
from streams.watch import NANO, shared_out

SETTLE_SECONDS = 240
BASES = ("inferences", "agent_steps", "retrievals", "telemetry")


class Campaign:
    """One run: events at a steady pace, kills at random moments, then the comparison."""

    def __init__(self, folder: Path, kills: int, seconds: float, events: int, seed: int) -> None:
        self.settings = load(
            data_dir=folder, clickhouse=f"chdb://{folder}/clickhouse", sql_port=free_port(), kafka_session_seconds=3
        )
        self.kills, self.seconds, self.events, self.seed = kills, seconds, events, seed
        self.killed: Counter[str] = Counter()

    def run(self) -> dict[str, object]:
        """Return the report; an `AssertionError` says what was lost or doubled."""
        installation = Installation(self.settings, broker_port=free_port())
        self.settings = installation.settings
        try:
            installation.start()
            self._play(installation)
            self._settle(installation)
            time.sleep(3)  # Faust commits every second
            report = self._compare_history() | self._check_commits()
            installation.supervisor.stop()  # detect saves its state when it is told to stop
            return report | self._compare_windows_and_state() | {"kills": dict(self.killed)}
        finally:
            installation.stop()

    def _play(self, installation: Installation) -> None:
        with resources.as_file(resources.files("streams.recorded") / "week.jsonl.gz") as week:
            events = list(itertools.islice(read([Path(week)]), self.events))
        span = (events[-1].time_unix_nano - events[0].time_unix_nano) / NANO
        replay = Replay(self.settings, span / self.seconds)
        player = threading.Thread(target=replay.run, args=(events,))
        player.start()
        rng = random.Random(self.seed)
        pause = self.seconds / self.kills
        for number in range(self.kills):
            end = time.monotonic() + rng.uniform(0.3, 1.7) * pause
            while time.monotonic() < end:
                installation.supervisor.check()
                time.sleep(0.05)
            self._kill(installation, "broker" if number in (self.kills // 3, 2 * self.kills // 3) else None, rng)
        while player.is_alive():
            installation.supervisor.check()
            time.sleep(0.1)
        self.marks = replay.marks

    def _kill(self, installation: Installation, name: str | None, rng: random.Random) -> None:
        if name == "broker":
            installation._broker.kill()
            installation._broker.start()
        else:
            child = rng.choice([c for c in installation.supervisor._children if c.process is not None] or [None])
            if child is None:
                return
            name = child.name
            child.process.send_signal(signal.SIGKILL)
            child.process.wait()
            child.process, child.start_at = None, time.monotonic()
        self.killed[name] += 1

    def _settle(self, installation: Installation) -> None:
        end = time.monotonic() + SETTLE_SECONDS
        logged = sum(self._ends(INFERENCE).values())
        while time.monotonic() < end:
            installation.supervisor.check()
            lags = [_lag(self.settings.host, port) for port in PORTS.values()]
            if all(lag == 0 for lag in lags) and self._stored() >= logged:
                return
            time.sleep(0.5)
        logs = [child.tail() for child, lag in zip(installation.supervisor._children, lags, strict=True) if lag != 0]
        raise AssertionError(f"the workers did not finish: waiting {lags}, stored {self._stored()} of {logged}, {logs}")

    def _stored(self) -> int:
        try:
            return sum(int(rows(self.settings, f"SELECT count() AS n FROM {name}")[0]["n"]) for name in BASES)
        except (OSError, ValueError, RuntimeError):
            return -1

    def _ends(self, topic) -> dict:
        name = self.settings.topic(topic.name)
        consumer = KafkaConsumer(**client_arguments(self.settings))
        try:
            return consumer.end_offsets([TopicPartition(name, p) for p in consumer.partitions_for_topic(name)])
        finally:
            consumer.close()

    def log(self, topic) -> dict[int, list]:
        """Return all records of a topic by partition."""
        consumer = KafkaConsumer(**client_arguments(self.settings), enable_auto_commit=False)
        ends = self._ends(topic)
        found: dict[int, list] = {tp.partition: [] for tp in ends}
        consumer.assign(list(ends))
        consumer.seek_to_beginning(*ends)
        while any(consumer.position(tp) < end for tp, end in ends.items()):
            for records in consumer.poll(timeout_ms=1000).values():
                for record in records:
                    found[record.partition].append(record)
        consumer.close()
        return found

    def _compare_history(self) -> dict[str, object]:
        """Rows equal the log, offset by offset; rollups equal a fresh GROUP BY."""
        log = self.log(INFERENCE)
        union = " UNION ALL ".join(f"SELECT kafka_partition AS p, kafka_offset AS o FROM {name}" for name in BASES)
        stored = rows(
            self.settings, f"SELECT p, count() AS n, uniqExact(o) AS u, max(o) AS m FROM ({union}) GROUP BY p"
        )
        assert {int(row["p"]): (int(row["n"]), int(row["u"])) for row in stored} == {
            partition: (len(records), len(records)) for partition, records in log.items() if records
        }
        ids = " UNION ALL ".join(f"SELECT event_id FROM {name}" for name in BASES[:3])
        distinct = int(rows(self.settings, f"SELECT uniqExact(event_id) AS n FROM ({ids})")[0]["n"])
        assert distinct == self.events
        fresh = " UNION ALL ".join(
            f"SELECT time, service_name, trials, flagged FROM {name}" for name in BASES[:3]
        )  # no FINAL: a doubled row would show
        rates = ", ".join(f"countIf(bitTest(flagged, {bit}) AND bitTest(trials, {bit})) AS r{bit}" for bit in range(7))
        names = ["unsafe_attempted", "unsafe_served", "injection_flag", "leak", "refusal", "error", "denied_tool"]
        rolled = ", ".join(f"sum({name}) AS r{bit}" for bit, name in enumerate(names))
        key = "service_name, minute ORDER BY service_name, minute"
        expected = rows(
            self.settings,
            f"SELECT service_name, toStartOfMinute(time)::DateTime('UTC') AS minute, count() AS n, {rates} "
            f"FROM ({fresh}) GROUP BY {key}",
        )
        got = rows(
            self.settings,
            f"SELECT service_name, minute, sum(events) AS n, {rolled} FROM service_minutes_now GROUP BY {key}",
        )
        assert got == expected
        return {"rows": sum(len(records) for records in log.values()), "minutes": len(expected)}

    def _check_commits(self) -> dict[str, object]:
        """The groups have committed what they acknowledged: a restart does not begin from the start."""
        admin = KafkaAdminClient(**client_arguments(self.settings))
        groups = [f"watchkeeper-{name}" for name in PORTS if name != "incidents"]  # it may have nothing to read
        offsets = admin.list_group_offsets(dict.fromkeys(groups))
        admin.close()
        ends = {tp: end for tp, end in self._ends(INFERENCE).items() if end}
        committed = {tp: meta.offset for tp, meta in offsets[groups[0]].items()}
        assert all(committed.get(tp, 0) == end for tp, end in ends.items()), (committed, ends)
        assert all(offsets[group] for group in groups)
        return {"committed": sum(committed[tp] for tp in ends)}

    def _compare_windows_and_state(self) -> dict[str, object]:
        """Published windows, findings and detector arrays equal those of one undisturbed pass over the log."""
        expected = self._undisturbed()
        published: dict[tuple[int, int, int], list] = {}
        windows = self._windows()
        for window, target in windows:
            if window.groups:
                key = (window.source_partition, window.tick, target)
                assert published.setdefault(key, window.groups) == window.groups, f"a repeat of {key} differs"
        want = {key: groups for key, groups in expected.items() if key in published or self._is_closed(key, windows)}
        assert published == want
        assert len(published) > 0.99 * len(expected)
        counts = {"windows": len(published), "repeated": len(windows) - len(published)}
        return counts | self._compare_state(want, windows)

    def _windows(self) -> list:
        from schemas.windows import Window
        from schemas.wire import decoder

        decode = decoder(Window)
        return [
            (decode(record.value, record.timestamp * 1_000_000), partition)
            for partition, records in self.log(WINDOWS).items()
            for record in records
        ]

    @staticmethod
    def _is_closed(key, windows) -> bool:
        return any(w.source_partition == key[0] and target == key[2] and w.tick >= key[1] for w, target in windows)

    def _undisturbed(self) -> dict[tuple[int, int, int], list]:
        settings, decode = self.settings, events_decoder()
        found = {}
        for partition, records in self.log(INFERENCE).items():
            ticks = PartitionTicks(settings.tick_seconds * NANO, settings.lateness_seconds * NANO)
            memory = Memory(-(-settings.session_memory_seconds // settings.tick_seconds))
            written = np.array([record.timestamp for record in records], np.int64)
            decoded = decode(records)
            flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
            ticks.add(countable(decoded, flags, written))
            for tick, parts in ticks.close():
                for target, groups in shared_out(reduce_tick(parts, tick, memory), WINDOWS.partitions).items():
                    found[partition, tick, target] = groups
        return found

    def _compare_state(self, windows, sent) -> dict[str, object]:
        settings = self.settings
        topics = check_topics(settings, [WINDOWS, CHECKPOINTS])
        series = 0
        for target in range(WINDOWS.partitions):
            judge = Judge(settings.tick_seconds, 1 / WINDOWS.partitions, settings.max_series, Policy())
            sources = INFERENCE.partitions
            last = {p: max((w.tick for w, t in sent if t == target and w.source_partition == p), default=-1)
                    for p in range(sources)}  # fmt: skip
            for tick in sorted({key[1] for key in windows if key[2] == target}):
                if tick <= min(last.values()):
                    parts = [
                        SimpleNamespace(source_partition=source, groups=windows.get((source, tick, target), []))
                        for source in range(sources)
                    ]
                    judge.judge(tick, united(parts))
            judge.advance(min(last.values()))
            stored = self._checkpoint(topics, target)
            for name, array in judge.state().items():
                np.testing.assert_array_equal(stored[f"judge_{name}"], array, err_msg=name)
            series += judge.series
        return {"series": series}

    def _checkpoint(self, topics, target):
        import asyncio

        settings = self.settings
        checkpoints = Checkpoints(
            topics[settings.topic(CHECKPOINTS.name)], "detect", client_arguments(settings),
            Publisher(client_arguments(settings)),
        )  # fmt: skip
        return asyncio.run(checkpoints.load(topics[settings.topic(WINDOWS.name)].topic_id, target)).arrays


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=110)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(Campaign(Path(folder), chosen.kills, chosen.seconds, chosen.events, chosen.seed).run())
