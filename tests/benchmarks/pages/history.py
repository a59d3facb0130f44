"""The store that pages are measured over: what `bench_kpis` sums, and beside the sums the rows that pages read.

Of every event there is a row, of most of them a verdict, and as many records of people, delivery systems and detectors
as such a month may have. All of it is made by the engine itself, and each time the same but for the hour it ends in.
"""

import threading
from datetime import UTC, datetime
from pathlib import Path

from pydantic import SecretStr

from streams.events.flags import BIT
from streams.kpis.policies import publish_policy
from streams.policy.policy import Policy, Service
from streams.settings import load
from streams.sql.server import Endpoint
from tests.benchmarks.bench_kpis import FILL, HOURS, SERVICES, START, filled
from tests.support.console import TOKEN
from tests.support.histories import judge

EVENTS = 5_000_000
APART = HOURS * 3_600 / EVENTS
"""Seconds between two events."""
WHEN = f"{START}::DateTime64(9, 'UTC') + toIntervalNanosecond(number * {round(APART * 1e9)}) AS time"
WHOSE = f"concat('service-', toString(cityHash64(number) % {SERVICES})) AS service_name"
VERSION = "concat('m@', toString(cityHash64(number, 2) % 2)) AS model_version"
WHERE_FROM = (
    "'inference.v1' AS kafka_topic, 't' AS kafka_topic_id, number % 4 AS kafka_partition, "
    "intDiv(number, 4) AS kafka_offset"
)
ID = "lower(hex(MD5(toString(number))))"
TRIALS = sum(BIT[name] for name in ("unsafe_attempted", "unsafe_served", "injection_flag", "leak", "refusal", "error"))
UNSAFE = "cityHash64(number, 3) % 100 = 0"
FLAGGED = f"if({UNSAFE}, {BIT['unsafe_attempted'] | BIT['unsafe_served']}, 0)"
EVENT = f"{ID} AS event_id, 'shop/bench' AS source, {WHEN}, {WHOSE}, {VERSION}, {WHERE_FROM}"
EVENT_NAMES = (
    "event_id, source, time, service_name, model_version, kafka_topic, kafka_topic_id, kafka_partition, kafka_offset"
)
OTHER_FINDINGS = {
    name: f"if({UNSAFE}, [{value}], [])"
    for name, value in {
        "findings_native_category": "''", "findings_native_taxonomy": "''", "findings_score": "NULL", "findings_score_kind": "''", "findings_score_bucket": "''",
        "findings_threshold": "NULL", "findings_entity_type": "''", "findings_count": "NULL",
        "finding_counts": "1", "finding_stopped": "0",
    }.items()
}  # fmt: skip
"""Columns with an entry a finding, whatever is known of it."""
SPARSE = "FROM (SELECT number * {every} AS number FROM numbers({count}))"


def _every(seconds: int) -> str:
    """Return where numbers come from that lie so many seconds apart, over the whole month."""
    every = round(seconds / APART)
    return SPARSE.format(every=every, count=EVENTS // every)


ROWS = {
    "inferences": f"""INSERT INTO inferences ({EVENT_NAMES}, operation_name, provider_name, request_model, response_model,
            outcome, usage_input_tokens, usage_output_tokens, duration_ms, user_pseudo_id, session_id, trace_id,
            tenant_id, guards_ok, trials, flagged, guard_ok, counted_version, counted_time, safety_harm)
        SELECT {EVENT}, 'chat', 'openai', 'm', 'm',
            if(cityHash64(number, 4) % 50 = 0, 'error', 'ok'), 200 + number % 900, number % 700,
            200 + cityHash64(number, 5) % 9000, toString(cityHash64(number, 6) % 50000),
            toString(intDiv(number, 8)), {ID}, toString(number % 9), ['pii'], {TRIALS}, {FLAGGED}, 1, model_version, time,
            if({UNSAFE}, 4, 0) FROM numbers({EVENTS})""",
    "guard_verdicts": f"""INSERT INTO guard_verdicts ({EVENT_NAMES}, target_event_id, guard_name, layer, status, verdict,
            action, latency_ms, findings_category, findings_severity, {', '.join(OTHER_FINDINGS)}, event_kind,
            counted_version, counted_time)
        SELECT {EVENT}, event_id, 'pii', 'output', 'ok', if({UNSAFE}, 'flag', 'pass'), 'none', 12,
            if({UNSAFE}, ['content.ncr'], []), if({UNSAFE}, [3], []), {', '.join(OTHER_FINDINGS.values())}, 'inference',
            model_version, time
        FROM numbers({EVENTS})""",
    "category_minutes": """INSERT INTO category_minutes (minute, service_name, model_version, category, layer, findings, events)
        SELECT toStartOfMinute(time), service_name, model_version, 'content.ncr', 'output', count(), count()
        FROM inferences WHERE safety_harm > 0 GROUP BY ALL""",
    "changes": f"""INSERT INTO changes ({EVENT_NAMES}, change_id, subject_type, subject_name, action, from_version,
            to_version, initiator_id, rollout_weight)
        SELECT {EVENT}, {ID}, ['model', 'prompt', 'guard'][number % 3 + 1], 'm', ['started', 'promoted'][number % 2 + 1],
            'm@0', 'm@1', 'ci', 0.1 {_every(7_200)}""",
    "controls": f"""INSERT INTO controls ({EVENT_NAMES}, control, actor_kind, actor_id, reason, expires_at)
        SELECT {EVENT}, ['pause', 'resume', 'review_required'][number % 3 + 1], 'human', 'kim', 'a drill', time + 3600
        {_every(40_000)}""",
    "incident_actions": f"""INSERT INTO incident_actions ({EVENT_NAMES}, incident_id, action, actor_kind, actor_id, reason)
        SELECT {EVENT}, toString(number % 200), 'acknowledge', 'human', 'kim', 'looking' {_every(12_000)}""",
    "triage": f"""INSERT INTO triage ({EVENT_NAMES}, decision, actor_kind, actor_id, finding_id)
        SELECT {EVENT}, ['real', 'false', 'known'][number % 3 + 1], 'human', 'kim', toString(number % 1000)
        {_every(9_000)}""",
    "evaluations": f"""INSERT INTO evaluations ({EVENT_NAMES}, suite, test_name, category, items, failed)
        SELECT {EVENT}, 'harms', 'one', 'content.ncr', 200, number % 7 {_every(20_000)}""",
    "items": f"""INSERT INTO review_items ({EVENT_NAMES}, target_event_id, queue, sampling_method, sampling_probability,
            stratum, reviewers)
        SELECT concat('item-', event_id), * EXCEPT (event_id, number), event_id, 'safety', 'stratified',
            0.01, number % 7, 1 FROM (SELECT {EVENT}, number {_every(600)})""",
    "tickets": f"""INSERT INTO findings (finding_id, kind, severity, service_name, metric, family, onset_time, detected_time,
            e_value, promise, rate, baseline, evidence)
        SELECT concat('ticket-', toString(number)), 'rate', 'ticket', {WHOSE}, 'refusal', 'refusal', time - 600, {WHEN},
            100000, 100000, 0.1, 0.02, 'more than usual' {_every(3_600)}""",
}  # fmt: skip
"""The rows beside the sums: five million events, as many verdicts, and records by the hour."""


def month(settings):
    """Fill a store, and have it judged."""
    client = filled(settings, FILL | ROWS)
    agreed = {
        f"service-{number}": Service(owner="kim", runbook="https://runbooks.example") for number in range(SERVICES)
    }
    publish_policy(client, Policy(services=agreed), datetime.now(UTC))
    judge(client)
    return client


def settings_of(folder, port=0):
    """Return the settings of both processes."""
    return load(
        clickhouse=f"chdb://{folder}/store", clickhouse_database="bench", data_dir=Path(folder), sql_port=port,
        api_token=SecretStr(TOKEN),
    )  # fmt: skip


def serve(folder, told):
    """Fill the store, unless a run before did, and answer questions until the process is ended."""
    settings = settings_of(folder)
    filled = Path(folder, "filled")
    if not filled.exists():
        month(settings).close()
        filled.touch()
    endpoint = Endpoint(settings)
    endpoint.start()
    told.send(endpoint.port)
    threading.Event().wait()
