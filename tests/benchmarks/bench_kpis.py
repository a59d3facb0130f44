"""What the KPI views cost: ``python -m tests.benchmarks.bench_kpis``.

Thirty days up to now of five million events of 20 services with two versions each. The rollups are filled directly, by
INSERT ... SELECT FROM numbers(): what is measured is reading, not writing. Beside each view stands how often longer it takes than
``SELECT count() FROM service_minutes FINAL``, because ratios travel and milliseconds do not.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta

from schemas.kpis import KPIS
from streams.settings import load
from streams.store.client import connect
from streams.store.schema.migrate import migrate

HOURS, SERVICES, VERSIONS, PARTITIONS = 720, 20, 2, 4
ROUNDS = 3
UNTIL = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
SINCE = UNTIL - timedelta(hours=HOURS)
START = f"toDateTime('{SINCE:%F %T}', 'UTC')"
SHAPE = (
    f"concat('service-', toString(number % {SERVICES})) AS service_name, "
    f"concat('m@', toString(intDiv(number, {SERVICES}) % {VERSIONS})) AS model_version, "
    f"intDiv(number, {SERVICES * VERSIONS}) % {PARTITIONS} AS partition"
)
WIDTH = SERVICES * VERSIONS * PARTITIONS
PER_HOUR = 5_000_000 // (HOURS * WIDTH)

COUNTS = """
    {n} AS events, events AS calls, events AS unsafe_attempted_trials, number % 7 = 0 AS unsafe_attempted,
    events AS unsafe_served_trials, number % 21 = 0 AS unsafe_served, events AS injection_flag_trials,
    number % 11 = 0 AS injection_flag, events AS leak_trials, number % 31 = 0 AS leak, events AS error_trials,
    number % 9 = 0 AS error, number % 3 AS over_refusal_trials, 0 AS over_refusal, events AS guard_ok,
    map(80 + number % 20, events) AS latency_bins, map('pii', events - 1, '', 1) AS outputs_by_guards,
    map('pii', events - 1, '', 1) AS served_by_guards, map(3, unsafe_served) AS unsafe_by_severity"""
NAMES = (
    "events, calls, unsafe_attempted_trials, unsafe_attempted, unsafe_served_trials, unsafe_served, "
    "injection_flag_trials, injection_flag, leak_trials, leak, error_trials, error, over_refusal_trials, over_refusal, "
    "guard_ok, latency_bins, outputs_by_guards, served_by_guards, unsafe_by_severity"
)
FILL = {
    "service_hours": f"""INSERT INTO service_hours (hour, service_name, model_version, kafka_partition, {NAMES})
        SELECT {START} + intDiv(number, {WIDTH}) * 3600, {SHAPE}, {COUNTS.format(n=PER_HOUR)}
        FROM numbers({HOURS * WIDTH})""",
    "service_minutes": f"""INSERT INTO service_minutes (minute, service_name, model_version, kafka_partition, {NAMES})
        SELECT {START} + intDiv(number, {SERVICES * VERSIONS}) * 60, {SHAPE}, {COUNTS.format(n=3)}
        FROM numbers({HOURS * 60 * SERVICES * VERSIONS})""",
    "stage_hours": f"""INSERT INTO stage_hours
            (hour, service_name, model_version, kafka_partition, stage, judged, failed, bins)
        SELECT {START} + intDiv(number, {WIDTH}) * 3600, {SHAPE},
            arrayJoin(['ingest', 'retrieval', 'inference', 'approval', 'action']), 40, number % 5,
            mapFromArrays(arrayMap(x -> 60 + x + number % 10, range(12)), replicate(toUInt64(4), range(12)))
        FROM numbers({HOURS * WIDTH})""",
    "windows": f"""INSERT INTO windows
            (time, tick, tick_seconds, source_partition, service_name, model_version, metric, trials, late)
        SELECT {START} + number * 0.5184, intDiv(number, 20), 10, number % 4, service_name, model_version,
            'unsafe_served', 1, number % 200 = 0
        FROM (SELECT number, {SHAPE} FROM numbers(5000000))""",
    "telemetry": f"""INSERT INTO telemetry (time, service_name, event_id, dropped, kafka_offset)
        SELECT {START} + number * 26, concat('service-', toString(number % 20)), toString(number), number % 50 = 0, number
        FROM numbers(100000)""",
    "dead_letters": f"""INSERT INTO dead_letters (time, origin_topic, origin_offset, reason, value)
        SELECT {START} + number * 500, 'inference.v1', number, 'invalid', '{{"service_name":"service-1"}}'
        FROM numbers(5000)""",
    "probe_minutes": f"""INSERT INTO probe_minutes (minute, service_name, model_version, probe_id, sent, detections)
        SELECT {START} + number * 600, concat('service-', toString(number % 20)), 'm@0', toString(number), 1, number % 5 > 0
        FROM numbers(4000)""",
    "findings": f"""INSERT INTO findings (finding_id, kind, service_name, metric, onset_time, detected_time, opened_finding_id)
        SELECT toString(number), ['quantity', 'telemetry', 'recovery', 'mix'][number % 4 + 1],
            concat('service-', toString(number % 20)), 'latency', {START} + number * 2000, {START} + number * 2500,
            if(number % 4 = 2, toString(number - 1), '') FROM numbers(1000)""",
    "incident_transitions": f"""INSERT INTO incident_transitions
            (incident_id, event_id, transition, transition_time, time, onset_time, actor_kind, family, service_name)
        SELECT toString(intDiv(number, 5)), toString(number), steps[number % 5 + 1],
            {START} + intDiv(number, 5) * 12000 + (number % 5) * 600 AS at, at, at - 300, 'human',
            if(number % 3 = 0, 'leak', 'unsafe'), concat('service-', toString(intDiv(number, 5) % 20))
        FROM (SELECT number, ['detected', 'acknowledged', 'mitigated', 'recovered', 'closed'] AS steps
            FROM numbers(1000))""",
    "review_items": f"""INSERT INTO review_items
            (target_event_id, event_id, time, service_name, model_version, sampling_method, sampling_probability, stratum)
        SELECT toString(number), toString(number), {START} + number * 170, concat('service-', toString(number % 20)),
            'm@0', 'stratified', 0.01 + 0.1 * (number % 7), number % 7 FROM numbers(15000)""",
    "review_labels": f"""INSERT INTO review_labels
            (target_event_id, event_id, evaluation_name, time, queued_at, service_name, label, annotator_kind,
            annotator_pseudo_id, score)
        SELECT toString(intDiv(number, 2)), toString(number), 'q', {START} + number * 85, {START} + number * 85 - 900,
            concat('service-', toString(intDiv(number, 2) % 20)), if(number % 10 < 2, 'unsafe', 'safe'),
            if(number % 7 = 0, 'end_user', 'human'), toString(number % 3), 0.5 FROM numbers(30000)""",
}  # fmt: skip
PERIOD = (
    f"since='{SINCE:%F %T}', until='{UNTIL:%F %T}', step=2592000, versions=0, objective=0.99, known_at='{UNTIL:%F %T}'"
)


def filled(settings=None, fill=FILL):
    """Return a client of a store that holds the month."""
    client = connect(settings or load(clickhouse=f"chdb://{tempfile.mkdtemp()}", clickhouse_database="bench"))
    migrate(client)
    for name, query in fill.items():
        began = time.perf_counter()
        client.command(query)
        print(f"filled {name} in {time.perf_counter() - began:.1f} s", flush=True)
    return client


def milliseconds(client, query) -> float:
    """Return the median of a few runs."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        client.query(query)
        taken.append(1e3 * (time.perf_counter() - began))
    return statistics.median(taken)


def main() -> None:
    """Fill, read, print."""
    client = filled()
    unit = milliseconds(client, "SELECT count() FROM service_minutes FINAL")
    print(f"{'SELECT count() FROM service_minutes FINAL':48} {unit:8.0f} ms")
    queries = {kpi.id: f"SELECT * FROM kpis_hourly WHERE kpi = '{kpi.id}'" for kpi in KPIS}
    queries |= {"kpi_trust": "SELECT * FROM kpi_trust", "kpis, the whole period": f"SELECT * FROM kpis({PERIOD})"}
    for name, query in queries.items():
        taken = milliseconds(client, query)
        rows = len(client.query(query).result_rows)
        print(f"{name:40} {rows:7} rows {taken:8.0f} ms {taken / unit:6.2f} x", flush=True)


if __name__ == "__main__":
    main()
