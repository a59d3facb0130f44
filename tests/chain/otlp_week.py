"""The recorded week played twice: as canonical events, and as OTLP through the receiver; what was found is compared.

python -m tests.chain.otlp_week

Each time a receiver and the workers normalise, watch, detect and incidents run as processes on a real broker. The
spans lie in one partition, so that they are read in the order in which they were sent: what is live is read as it
comes, but a week in a minute would be read minutes apart in several partitions, and be late.
"""

import sys
import tempfile
import time
import uuid
from importlib import resources
from pathlib import Path

import msgspec
from kafka import KafkaAdminClient

from schemas.fields import NANO
from schemas.findings import Finding
from schemas.incidents import IncidentTransition
from schemas.topics import FINDINGS, INCIDENTS, OTLP_SPANS
from schemas.wire import encode
from streams.demo.offsets import Offsets
from streams.kafka.topics import client_arguments, create_topics, options_of
from streams.local.broker import Broker
from streams.replay.send import AFTER_THE_END_NANO, Replay, read
from streams.settings import load
from tests.faults.fleet import Worker
from tests.faults.log import decoded
from tests.support.otlp_export import TENANT, request_of
from tests.support.receiver import ReceiverProcess
from tests.support.waiting import wait_until

KINDS = ("normalise", "watch", "detect", "incidents")
ORDER_NANO = 9 * NANO
"""A little less than what an event may be late."""

MOST_EVENTS = 200
LONGEST_SECONDS = 1_800
POLICY = f"telemetry: {{tenant_attribute: {TENANT}}}\n"


def week():
    """Return the events of the week."""
    with resources.as_file(resources.files("streams.demo.recorded") / "week.jsonl.gz") as path:
        return list(read([Path(path)]))


class Chain:
    """A receiver and workers with topics of their own."""

    def __init__(self, broker, folder):
        folder.mkdir(parents=True)
        self.settings = load(kafka=broker, topic_prefix=f"w{uuid.uuid4().hex[:8]}.", data_dir=folder)
        admin = KafkaAdminClient(**client_arguments(self.settings))
        admin.create_topics({self.settings.topic(OTLP_SPANS.name): options_of(OTLP_SPANS, 1)})
        admin.close()
        create_topics(self.settings)
        (folder / "policy.yaml").write_text(POLICY)
        given = {"KAFKA": broker, "TOPIC_PREFIX": self.settings.topic_prefix, "POLICY": str(folder / "policy.yaml"),
                 "CLICKHOUSE": f"chdb://{folder}/store"}  # fmt: skip
        self.workers = [Worker(kind, 0, given, folder) for kind in KINDS]
        self.receiver = ReceiverProcess(self.settings)

    def __enter__(self):
        self.receiver.start()
        for worker in self.workers:
            worker.start()
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            worker.end(15)
        self.receiver.stop()

    def found(self):
        """Return findings and transitions of incidents, once all that was sent is read."""
        wait_until(self._settled, LONGEST_SECONDS)
        return decoded(self.settings, FINDINGS, Finding), decoded(self.settings, INCIDENTS, IncidentTransition)

    def _settled(self, kinds=KINDS):
        offsets = Offsets(self.settings)
        left = offsets.look(0.0).left
        offsets.close()
        return bool(left) and not any(left[kind] for kind in kinds)

    def canonical(self, events):
        """Send events as they are."""
        Replay(self.settings, None).run(events)

    def otlp(self, events):
        """Send events as spans, in the requests of an SDK, and say when all of them are out that time has passed."""
        for batch in orderly(events):
            answer = self.receiver.post(request_of(batch).SerializeToString(), token="")
            assert answer.status_code == 200, answer.text
        wait_until(lambda: self._settled(KINDS[:1]), LONGEST_SECONDS)
        replay = Replay(self.settings, None)
        replay._mark(events[-1].time_unix_nano + AFTER_THE_END_NANO)
        replay._kafka.close()


def orderly(events):
    """Yield batches that stay in order, but for what may be late, when each is cut up by trace."""
    batch = []
    for event in events:
        if batch and (len(batch) == MOST_EVENTS or _disorder([*batch, event]) > ORDER_NANO):
            yield list(map(_plain, batch))
            batch = []
        batch.append(event)
    yield list(map(_plain, batch))


def _disorder(batch):
    traces = {}
    for event in batch:
        traces.setdefault(event.trace_id, []).append(event.time_unix_nano)
    newest, most = 0, 0
    for moment in (moment for trace in traces.values() for moment in trace):
        newest, most = max(newest, moment), max(most, newest - moment)
    return most


def _plain(event):
    return msgspec.json.decode(encode(event))


def alike(finding):
    """Return what two findings of the same have in common, whatever their events are called."""
    return (finding.kind, finding.severity, finding.service_name, finding.metric, finding.model_version or "",
            finding.direction or "", finding.onset_time_unix_nano or 0, finding.detected_time_unix_nano,
            finding.rate or 0.0, finding.flagged or 0, finding.sample_size or 0)  # fmt: skip


def told(step):
    """Return what a transition says: of what incident, what became of it, since when and how severe."""
    return (step.transition_time_unix_nano, step.transition, step.severity, step.family or "",
            tuple(step.services or ()), step.onset_time_unix_nano or 0, step.sessions_affected or 0,
            step.outputs_affected or 0)  # fmt: skip


def both(broker, folder, events):
    """Return what was found of the events each way: findings and transitions, sorted, canonical first."""
    found = []
    for way in ("canonical", "otlp"):
        with Chain(broker, folder / way) as chain:
            began = time.monotonic()
            getattr(chain, way)(events)
            findings, steps = chain.found()
            print(f"{way}: {len(events):,} events, {len(findings)} findings, {len(steps)} transitions, "
                  f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
        found.append((sorted(map(alike, findings)), sorted(map(told, steps))))
    return found


def main():
    """Play the week; the status is 1 where the two differ."""
    with tempfile.TemporaryDirectory() as place:
        broker = Broker(Path(place) / "kafka")
        broker.start()
        try:
            canonical, otlp = both(broker.address, Path(place) / "chains", week())
        finally:
            broker.stop()
    for name, one, other in zip(("findings", "transitions"), canonical, otlp, strict=True):
        print(f"{name}: {len(one)}, the same as OTLP: {one == other}")
        for item in sorted(set(one) ^ set(other)):
            print("  canonical only" if item in one else "  OTLP only", item)
    sys.exit(canonical != otlp)


if __name__ == "__main__":
    main()
