-- The trust of each hour is judged once, every ten seconds, instead of by every query: planning that join took most of
-- the time of a board. `judged_at` says when; the rule about the store watches that it goes on.

CREATE TABLE trust_hours
(
    window_start DateTime('UTC'),
    service_name String,
    events UInt64,
    outputs UInt64,
    covered UInt64,
    late Int64,
    lost Int64,
    dead_letters UInt64,
    trust LowCardinality(String),
    trust_reason String,
    guard_trust LowCardinality(String),
    guard_trust_reason String,
    judged_at DateTime('UTC')
)
ENGINE = MergeTree
ORDER BY (window_start, service_name);

CREATE MATERIALIZED VIEW trust_hours_judged REFRESH AFTER 10 SECOND TO trust_hours AS
SELECT
    window_start, service_name, events, outputs, covered, late, lost, dead_letters, trust, trust_reason, guard_trust,
    guard_trust_reason, now('UTC') AS judged_at
FROM kpi_trust;

CREATE OR REPLACE VIEW kpi_frame AS
SELECT
    toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(trusts.window_start) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
    trusts.service_name AS service_name, sum(trusts.events) AS events, sum(trusts.late) AS late,
    sum(trusts.lost) AS lost, sum(trusts.dead_letters) AS dead_letters,
    if(countIf(trusts.trust = 'untrusted') = 0, 'trusted', 'untrusted') AS trust,
    if(count() = 1 OR trust = 'trusted', any(trusts.trust_reason), concat(
        toString(countIf(trusts.trust = 'untrusted')), ' of ', toString(count()), ' hours, first: ',
        argMinIf(trusts.trust_reason, trusts.window_start, trusts.trust = 'untrusted'))) AS trust_reason,
    if(countIf(trusts.guard_trust = 'untrusted') = 0, 'trusted', 'untrusted') AS guard_trust,
    if(count() = 1 OR guard_trust = 'trusted', any(trusts.guard_trust_reason), concat(
        toString(countIf(trusts.guard_trust = 'untrusted')), ' of ', toString(count()), ' hours, first: ',
        argMinIf(trusts.guard_trust_reason, trusts.window_start, trusts.guard_trust = 'untrusted'))) AS guard_trust_reason
FROM trust_hours AS trusts
WHERE trusts.window_start >= {since:DateTime('UTC')} AND trusts.window_start < {until:DateTime('UTC')}
GROUP BY window_start, service_name;

-- Outputs and guards apart: who asks about the one does not plan the other.

CREATE OR REPLACE VIEW kpi_counts AS
SELECT
    frame.window_start AS window_start, frame.service_name AS service_name, counted.version AS model_version,
    frame.trust AS trust, frame.trust_reason AS trust_reason,
    frame.guard_trust AS guard_trust, frame.guard_trust_reason AS guard_trust_reason,
    counted.events AS events, counted.* EXCEPT (bucket, service_name, version, events)
FROM kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
LEFT JOIN (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(hour) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS bucket,
        service_name, if({versions:UInt8}, toString(model_version), '') AS version,
        sum(events) AS events, sum(calls) AS calls,
        sum(unsafe_attempted_trials) AS unsafe_attempted_trials, sum(unsafe_attempted) AS unsafe_attempted,
        sum(unsafe_served_trials) AS unsafe_served_trials, sum(unsafe_served) AS unsafe_served,
        sum(injection_flag_trials) AS injection_flag_trials, sum(injection_flag) AS injection_flag,
        sum(leak_trials) AS leak_trials, sum(leak) AS leak, sum(error_trials) AS error_trials, sum(error) AS error,
        sum(over_refusal_trials) AS over_refusal_trials, sum(over_refusal) AS over_refusal,
        sumMap(unsafe_by_severity) AS unsafe_by_severity
    FROM service_hours FINAL
    WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY bucket, service_name, version
) AS counted ON counted.bucket = frame.window_start AND counted.service_name = frame.service_name;

CREATE VIEW kpi_output_shares AS
WITH 1.959963984540054 AS z, numerator / n AS p, 1 + z * z / n AS scale,
    (p + z * z / (2 * n)) / scale AS middle, z / scale * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) AS half
SELECT
    kpi, part, window_start, service_name, model_version, if(n = 0, NULL, p) AS value,
    multiIf(n = 0, NULL, numerator = 0, 0, greatest(middle - half, 0)) AS lower,
    multiIf(n = 0, NULL, numerator = n, 1, least(middle + half, 1)) AS upper,
    n, trust, trust_reason
FROM (
    SELECT
        ratio.1 AS kpi, '' AS part, window_start, service_name, model_version,
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, guard_trust AS trust, guard_trust_reason AS trust_reason
    FROM kpi_counts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
    ARRAY JOIN [
        ('unsafe_served', unsafe_served, unsafe_served_trials),
        ('unsafe_attempted', unsafe_attempted, unsafe_attempted_trials),
        ('mitigation', toUInt64(unsafe_attempted - least(unsafe_served, unsafe_attempted)), unsafe_attempted),
        ('injection_flag', injection_flag, injection_flag_trials),
        ('over_refusal', over_refusal, over_refusal_trials)
    ] AS ratio
);

CREATE VIEW kpi_guard_shares AS
WITH 1.959963984540054 AS z, numerator / n AS p, 1 + z * z / n AS scale,
    (p + z * z / (2 * n)) / scale AS middle, z / scale * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) AS half
SELECT
    kpi, part, window_start, service_name, model_version, if(n = 0, NULL, p) AS value,
    multiIf(n = 0, NULL, numerator = 0, 0, greatest(middle - half, 0)) AS lower,
    multiIf(n = 0, NULL, numerator = n, 1, least(middle + half, 1)) AS upper,
    n, trust, trust_reason
FROM (
    SELECT
        ratio.1 AS kpi, '' AS part, frame.window_start AS window_start, frame.service_name AS service_name,
        guarded.version AS model_version, toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, frame.trust AS trust,
        frame.trust_reason AS trust_reason
    FROM kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
    LEFT JOIN (
        SELECT
            toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(hour) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS bucket,
            service_name, if({versions:UInt8}, toString(model_version), '') AS version,
            sum(outputs) AS outputs, sum(covered) AS covered, sum(served) AS served, sum(exposed) AS exposed
        FROM guard_hours_now
        WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
        GROUP BY bucket, service_name, version
    ) AS guarded ON guarded.bucket = frame.window_start AND guarded.service_name = frame.service_name
    ARRAY JOIN [
        ('guard_coverage', guarded.covered, guarded.outputs), ('fail_open', guarded.exposed, guarded.served)
    ] AS ratio
);

CREATE OR REPLACE VIEW kpi_shares AS
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_output_shares(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_guard_shares(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8});

CREATE OR REPLACE VIEW kpi_budgets AS
WITH 1 - {objective:Float64} AS tolerated
SELECT
    'error_budget' AS kpi, '' AS part, window_start, service_name, model_version,
    1 - shares.value / tolerated AS value, 1 - shares.upper / tolerated AS lower, 1 - shares.lower / tolerated AS upper,
    n, trust, trust_reason
FROM kpi_output_shares(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8}) AS shares
WHERE shares.kpi = 'unsafe_served';

-- Three totals, each of its own, so that one alone costs one.

CREATE VIEW kpi_leaks AS
SELECT
    'leak_incidents' AS kpi, '' AS part, frame.window_start AS window_start, frame.service_name AS service_name, '' AS model_version,
    if(frame.events = 0 AND leaks.n = 0, NULL, toNullable(toFloat64(leaks.reached))) AS value,
    CAST(NULL AS Nullable(Float64)) AS lower, CAST(NULL AS Nullable(Float64)) AS upper, leaks.n AS n,
    frame.guard_trust AS trust, frame.guard_trust_reason AS trust_reason
FROM kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
LEFT JOIN (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(assumeNotNull(detected), 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        service_name, count() AS n, countIf(ifNull(reached_user, true)) AS reached
    FROM incident_clocks
    WHERE family = 'leak' AND NOT false_positive AND NOT merged AND detected >= {since:DateTime('UTC')} AND detected < {until:DateTime('UTC')}
    GROUP BY window_start, service_name
) AS leaks ON leaks.window_start = frame.window_start AND leaks.service_name = frame.service_name;

CREATE VIEW kpi_drifts AS
SELECT
    'drift_open' AS kpi, '' AS part, frame.window_start AS window_start, frame.service_name AS service_name, '' AS model_version,
    if(frame.events = 0, NULL, toNullable(toFloat64(drifts.number))) AS value,
    CAST(NULL AS Nullable(Float64)) AS lower, CAST(NULL AS Nullable(Float64)) AS upper, drifts.metrics AS n,
    frame.trust AS trust, frame.trust_reason AS trust_reason
FROM kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
LEFT JOIN (
    SELECT
        service_name, uniqExact(metric) AS metrics, count() AS number,
        toDateTime(toUInt32({since:DateTime('UTC')}) + toUInt32(arrayJoin(range(
            toUInt64(greatest(0, intDiv(toInt64(toUnixTimestamp(detected_time)) - toUnixTimestamp({since:DateTime('UTC')}), {step:UInt32}))),
            toUInt64(greatest(0, intDiv(toInt64(toUnixTimestamp(shown_until)) - toUnixTimestamp({since:DateTime('UTC')}), {step:UInt32})))
        ))) * {step:UInt32}, 'UTC') AS window_start
    FROM (
        SELECT *, ifNull(toDateTime(ended, 'UTC'),
            (SELECT max(hour) FROM service_hours) + toIntervalSecond({step:UInt32} + 3600)) AS shown_until
        FROM drift_indicators
    )
    WHERE detected_time < {until:DateTime('UTC')}
    GROUP BY window_start, service_name
) AS drifts ON drifts.window_start = frame.window_start AND drifts.service_name = frame.service_name;

CREATE OR REPLACE VIEW kpi_totals AS
SELECT
    'leak_events' AS kpi, '' AS part, window_start, service_name, model_version,
    if(events = 0, NULL, toNullable(toFloat64(leak))) AS value,
    CAST(NULL AS Nullable(Float64)) AS lower, CAST(NULL AS Nullable(Float64)) AS upper,
    leak_trials AS n, guard_trust AS trust, guard_trust_reason AS trust_reason
FROM kpi_counts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_leaks(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_drifts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32});
