"""What is left after disturbances, held against one undisturbed pass over the log."""

import asyncio

import numpy as np
from kafka import TopicPartition

from schemas.changes import Change
from schemas.fields import NANO
from schemas.findings import Finding
from schemas.incidents import IncidentAction, IncidentTransition
from schemas.topics import ACTIONS, CHANGES, CHECKPOINTS, FINDINGS, INCIDENTS, INFERENCE, OTLP_SPANS, WINDOWS
from schemas.windows import Window
from schemas.wire import decoder
from streams.detect.judge import Judge
from streams.detect.merge import TickMerger
from streams.events.decode import events_decoder
from streams.events.flags import event_flags
from streams.incidents.fold.incident_log import IncidentLog
from streams.incidents.fold.severity import severity_of
from streams.incidents.fold.state import happened, summary_of
from streams.kafka.checkpoints import Checkpoints
from streams.kafka.publisher import Publisher
from streams.kafka.topics import check_topics, client_arguments
from streams.policy.policy import Policy
from streams.store.ask import ask_rows as rows
from streams.watch.counting import countable
from streams.watch.memory import Memory
from streams.watch.reduce import reduce_block
from streams.watch.single.severe import severe_findings
from streams.watch.ticks import PartitionTicks
from streams.watch.worker import shared_out
from tests.faults.log import committed, ends, log
from tests.faults.spans import twice

BASES = ("inferences", "agent_steps", "retrievals", "telemetry")
RATES = ("unsafe_attempted", "unsafe_served", "injection_flag", "leak", "refusal", "error", "denied_tool")


class Comparison:
    """Everything that the house has made of one log, against what the log says."""

    def __init__(self, settings, events):
        self.settings, self.events, self._window = settings, events, decoder(Window)
        self.inference = log(settings, INFERENCE)

    def report(self):
        """Compare all there is; an `AssertionError` says what was lost or doubled."""
        found = self.history() | self.windows()
        return found | self.findings_and_state() | self.incidents()

    def history(self):
        """Rows equal the log, offset by offset; rollups equal a fresh GROUP BY."""
        union = " UNION ALL ".join(
            f"SELECT kafka_partition AS p, kafka_offset AS o FROM {name} FINAL" for name in BASES
        )
        stored = rows(self.settings, f"SELECT p, count() AS n, uniqExact(o) AS u FROM ({union}) GROUP BY p")
        assert {int(row["p"]): (int(row["n"]), int(row["u"])) for row in stored} == {
            partition: (len(records), len(records)) for partition, records in self.inference.items() if records
        }
        ids = " UNION ALL ".join(f"SELECT event_id FROM {name}" for name in BASES[:3])
        assert int(rows(self.settings, f"SELECT uniqExact(event_id) AS n FROM ({ids})")[0]["n"]) == self.events
        fresh = " UNION ALL ".join(
            f"SELECT time, service_name, trials, flagged FROM {name} FINAL" for name in BASES[:3]
        )
        rates = ", ".join(f"countIf(bitTest(flagged, {bit}) AND bitTest(trials, {bit})) AS r{bit}" for bit in range(7))
        rolled = ", ".join(f"sum({name}) AS r{bit}" for bit, name in enumerate(RATES))
        key = "service_name, minute ORDER BY service_name, minute"
        expected = rows(
            self.settings,
            f"SELECT service_name, toStartOfMinute(time)::DateTime('UTC') AS minute, count() AS n, {rates} "
            f"FROM ({fresh}) GROUP BY {key}",
        )
        query = f"SELECT service_name, minute, sum(events) AS n, {rolled} FROM service_minutes FINAL GROUP BY {key}"
        assert rows(self.settings, query) == expected
        count = sum(len(records) for records in self.inference.values())
        return {"rows": count, "minutes": len(expected), "translated twice": twice(self.inference)}

    def windows(self):
        """Every window was published, and each time with the same content."""
        expected, self.severe = self._undisturbed()
        published = {}
        repeated = 0
        for target, records in self._decoded(WINDOWS, Window).items():
            for window in records:
                repeated += 1
                if window.groups:
                    key = (window.source_partition, window.tick, target)
                    assert published.setdefault(key, window.groups) == window.groups, f"a repeat of {key} differs"
        missing, odd = expected.keys() - published.keys(), published.keys() - expected.keys()
        assert not missing, f"{len(missing)} of {len(expected)} windows missing: {sorted(missing)[:5]}"
        assert not odd, f"{len(odd)} windows about nothing: {sorted(odd)[:5]}"
        partial = [key for key in expected if published[key] != expected[key]]
        assert not partial, f"{len(partial)} windows are not whole: {sorted(partial)[:5]}"
        return {"windows": len(published), "windows repeated": repeated - len(published)}

    def _undisturbed(self):
        settings, decode = self.settings, events_decoder()
        found, severe = {}, {}
        for partition, records in self.inference.items():
            if not records:
                continue
            ticks = PartitionTicks(settings.tick_seconds * NANO, settings.lateness_seconds * NANO)
            memory = Memory(-(-settings.session_memory_seconds // settings.tick_seconds), settings.tick_seconds)
            decoded = decode(records)
            flags = {kind: event_flags(columns) for kind, columns in decoded.kinds.items()}
            written = np.array([record.timestamp for record in records], np.int64)
            ticks.add(countable(decoded, flags, written))
            for kind, columns in decoded.kinds.items():
                severe |= {each.finding_id: each for each in severe_findings(columns, flags[kind].guards, Policy())}
            for tick, sums in reduce_block(ticks.close(), memory):
                for target, groups in shared_out(sums, WINDOWS.partitions).items():
                    found[partition, tick, target] = groups
        return found, severe

    def findings_and_state(self):
        """Findings, and every array of the detectors, equal those of one pass over the windows."""
        expected, later, series = dict(self.severe), {}, 0
        topics = check_topics(self.settings, [WINDOWS, CHECKPOINTS])
        done = committed(self.settings)["detect"]
        for target, records in log(self.settings, WINDOWS).items():
            windows = [(record.offset, self._window(record.value, record.timestamp * 1_000_000)) for record in records]
            found, after, followed = self._of_windows(self._checkpoint(topics, target), done, target, windows)
            expected, later, series = expected | found, later | after, series + followed
        said = [each for records in self._decoded(FINDINGS, Finding).values() for each in records]
        got = {each.finding_id: each for each in said if each.kind not in {"unannounced_change", "odd_event"}}
        assert not expected.keys() - got.keys(), f"not found: {[expected[k] for k in expected.keys() - got.keys()][:3]}"
        odd = got.keys() - expected.keys() - later.keys()
        assert not odd, f"about nothing: {[got[key] for key in odd][:3]}"
        assert got == {key: (later | expected)[key] for key in got}
        return {"series": series, "findings": len(got), "findings repeated": len(said) - len({*got})}

    def _of_windows(self, stored, done, target, windows):
        """Return what must be found in a partition of the windows, what may be, and how many series there are.

        What is committed was judged. The checkpoint may lie before that: a worker that was frozen may have put its own,
        older one in the place of the newest, and a successor judges from there. Workers are told to stop one by one:
        beyond what was judged time may pass, and successors may repeat windows, and nothing else.
        """
        topic = self.settings.topic(WINDOWS.name)
        judged = max(stored.offset, done.get(TopicPartition(topic, target), 0) - 1)
        known = {_place(window) for offset, window in windows if offset <= judged}
        new = {_place(window) for offset, window in windows if offset > judged and window.groups} - known
        assert not new, f"not judged: {new}"
        once = _Pass(self.settings)
        found = once.found([window for offset, window in windows if offset <= stored.offset])
        for name, array in once.judge.state().items():
            np.testing.assert_array_equal(stored.arrays[f"judge_{name}"], array, err_msg=name)
        found |= once.found([window for offset, window in windows if stored.offset < offset <= judged])
        return found, once.found([window for offset, window in windows if offset > judged]), once.judge.series

    def incidents(self):
        """What is published of incidents is what follows from findings, changes and actions: no more, no less."""
        incident_log = IncidentLog(severity_of(Policy()))
        published = [each for records in self._decoded(INCIDENTS, IncidentTransition).values() for each in records]
        entries = [summary_of(each) for records in self._decoded(FINDINGS, Finding).values() for each in records]
        for topic, kind in ((ACTIONS, IncidentAction), (CHANGES, Change)):
            entries += [each for records in self._decoded(topic, kind).values() for each in records]
        kept = [entry for entry in entries if entry is not None]
        incident_log.published(published)
        incident_log.folding.add(sorted(kept, key=happened))
        news = incident_log.news()
        assert not news, f"not published: {news[:3]}"
        return {
            "incidents": len(incident_log.folding.fold.incidents),
            "transitions": len({each.event_id for each in published}),
        }

    def _decoded(self, topic, kind):
        decode = decoder(kind)
        return {
            partition: [decode(record.value, record.timestamp * 1_000_000) for record in records]
            for partition, records in log(self.settings, topic).items()
        }

    def _checkpoint(self, topics, target):
        client = client_arguments(self.settings)
        home = topics[self.settings.topic(CHECKPOINTS.name)]
        checkpoints = Checkpoints(home, "detect", client, Publisher(client))
        return asyncio.run(checkpoints.load(topics[self.settings.topic(WINDOWS.name)].topic_id, target))


class _Pass:
    """One undisturbed pass over the windows of a partition."""

    def __init__(self, settings):
        self.judge = Judge(settings.tick_seconds, 1 / WINDOWS.partitions, settings.max_series, Policy())
        self._merger = TickMerger()

    def found(self, windows):
        """Return what some more windows bring to light."""
        found = []
        for window in windows:
            if self._merger.add(window):
                found += [each for tick, sums in self._merger.whole() for each in self.judge.judge(tick, sums)]
                found += self.judge.advance(self._merger.end())
        return {each.finding_id: each for each in found}


def _place(window):
    return window.source_partition, window.tick


def unread(settings, done, only=(OTLP_SPANS, INFERENCE, WINDOWS, FINDINGS)):
    """Return how many records of spans, events, windows and findings no commit of their readers covers."""
    readers = {
        OTLP_SPANS: ("normalise",),
        INFERENCE: ("history", "watch"),
        WINDOWS: ("history", "detect"),
        FINDINGS: ("history", "incidents"),
    }
    return sum(
        max(end - done[kind].get(tp, 0), 0)
        for topic, kinds in readers.items()
        if topic in only
        for tp, end in ends(settings, topic).items()
        for kind in kinds
    )
