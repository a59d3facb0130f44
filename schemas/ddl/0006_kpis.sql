-- The KPIs: what the rollups lacked, the hours beside the minutes, and a view for each KPI.

ALTER TABLE inferences
    ADD COLUMN guards_ok Array(LowCardinality(String)) AFTER guard_not_ok,
    ADD COLUMN unsafe_severity UInt8 AFTER guards_ok;

ALTER TABLE service_minutes
    ADD COLUMN outputs_by_guards Map(String, UInt64) AFTER latency_bins,
    ADD COLUMN served_by_guards Map(String, UInt64) AFTER outputs_by_guards,
    ADD COLUMN unsafe_by_severity Map(UInt8, UInt64) AFTER served_by_guards;

ALTER TABLE windows ADD INDEX late_ones late TYPE minmax GRANULARITY 1;

CREATE TABLE service_hours
(
    hour DateTime('UTC'),
    tenant_id LowCardinality(String),
    service_name LowCardinality(String),
    model_version LowCardinality(String),
    events UInt64,
    calls UInt64,
    unsafe_attempted_trials UInt64,
    unsafe_attempted UInt64,
    unsafe_served_trials UInt64,
    unsafe_served UInt64,
    injection_flag_trials UInt64,
    injection_flag UInt64,
    leak_trials UInt64,
    leak UInt64,
    refusal_trials UInt64,
    refusal UInt64,
    error_trials UInt64,
    error UInt64,
    denied_tool_trials UInt64,
    denied_tool UInt64,
    over_refusal_trials UInt64,
    over_refusal UInt64,
    guard_failure_trials UInt64,
    guard_failure UInt64,
    guard_ok UInt64,
    guard_not_ok UInt64,
    uncovered UInt64,
    input_tokens UInt64,
    output_tokens UInt64,
    latency_bins Map(Int32, UInt64),
    outputs_by_guards Map(String, UInt64),
    served_by_guards Map(String, UInt64),
    unsafe_by_severity Map(UInt8, UInt64),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (kafka_topic_id, kafka_partition, hour, tenant_id, service_name, model_version);

CREATE TABLE stage_minutes
(
    minute DateTime('UTC'),
    tenant_id LowCardinality(String),
    service_name LowCardinality(String),
    model_version LowCardinality(String),
    stage LowCardinality(String),
    judged UInt64,
    failed UInt64,
    bins Map(Int32, UInt64),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (kafka_topic_id, kafka_partition, minute, tenant_id, service_name, model_version, stage);

CREATE TABLE stage_hours
(
    hour DateTime('UTC'),
    tenant_id LowCardinality(String),
    service_name LowCardinality(String),
    model_version LowCardinality(String),
    stage LowCardinality(String),
    judged UInt64,
    failed UInt64,
    bins Map(Int32, UInt64),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (kafka_topic_id, kafka_partition, hour, tenant_id, service_name, model_version, stage);

CREATE TABLE probe_minutes
(
    minute DateTime('UTC'),
    tenant_id LowCardinality(String),
    service_name LowCardinality(String),
    model_version LowCardinality(String),
    probe_id String,
    sent UInt64,
    detections UInt64,
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (kafka_topic_id, kafka_partition, minute, tenant_id, service_name, model_version, probe_id);

CREATE TABLE service_policies
(
    service_name String,
    tier LowCardinality(String),
    owner String,
    runbook String,
    required_guards Array(String),
    published_at DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree(published_at)
ORDER BY service_name;

-- What the KPIs rest on. Hours are half open: an hour counts where since <= hour < until.

CREATE VIEW service_policies_now AS
SELECT service_name, tier, owner, runbook, required_guards, published_at
FROM service_policies FINAL
WHERE published_at = (SELECT max(published_at) FROM service_policies);

CREATE VIEW service_hours_now AS
SELECT
    hour, tenant_id, service_name, model_version,
    sum(events) AS events, sum(calls) AS calls,
    sum(unsafe_attempted_trials) AS unsafe_attempted_trials, sum(unsafe_attempted) AS unsafe_attempted,
    sum(unsafe_served_trials) AS unsafe_served_trials, sum(unsafe_served) AS unsafe_served,
    sum(injection_flag_trials) AS injection_flag_trials, sum(injection_flag) AS injection_flag,
    sum(leak_trials) AS leak_trials, sum(leak) AS leak,
    sum(refusal_trials) AS refusal_trials, sum(refusal) AS refusal,
    sum(error_trials) AS error_trials, sum(error) AS error,
    sum(denied_tool_trials) AS denied_tool_trials, sum(denied_tool) AS denied_tool,
    sum(over_refusal_trials) AS over_refusal_trials, sum(over_refusal) AS over_refusal,
    sum(guard_failure_trials) AS guard_failure_trials, sum(guard_failure) AS guard_failure,
    sum(guard_ok) AS guard_ok, sum(guard_not_ok) AS guard_not_ok, sum(uncovered) AS uncovered,
    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sumMap(latency_bins) AS latency_bins,
    sumMap(outputs_by_guards) AS outputs_by_guards, sumMap(served_by_guards) AS served_by_guards,
    sumMap(unsafe_by_severity) AS unsafe_by_severity
FROM service_hours FINAL
GROUP BY hour, tenant_id, service_name, model_version;

-- Outputs by whether every required guard was ok. Where none is required, any guard that was ok covers.
CREATE VIEW guard_hours_now AS
WITH
    if(own.listed, own.required_guards, others.required_guards) AS required,
    if(empty(required), kept.guards != '', hasAll(splitByChar('\x1f', kept.guards), required)) AS whole
SELECT
    kept.hour AS hour, kept.service_name AS service_name, kept.model_version AS model_version,
    sum(kept.outputs) AS outputs, sumIf(kept.outputs, whole) AS covered,
    sum(kept.served) AS served, sumIf(kept.served, NOT whole) AS exposed
FROM (
    SELECT hour, service_name, model_version, guards, sum(number) AS outputs, sum(served_by_guards[guards]) AS served
    FROM (SELECT hour, service_name, model_version, outputs_by_guards, served_by_guards FROM service_hours FINAL)
    ARRAY JOIN mapKeys(outputs_by_guards) AS guards, mapValues(outputs_by_guards) AS number
    GROUP BY hour, service_name, model_version, guards
) AS kept
LEFT JOIN (
    SELECT service_name, true AS listed, required_guards FROM service_policies_now WHERE service_name != ''
) AS own ON own.service_name = kept.service_name
CROSS JOIN (
    SELECT any(required_guards) AS required_guards FROM service_policies_now WHERE service_name = ''
) AS others
GROUP BY hour, service_name, model_version;

-- Whether the telemetry of a service in an hour is whole, and if not, why. A service lives from its first hour to the
-- newest of the fleet, or to its own last one where that is a week older.
CREATE VIEW kpi_trust AS
WITH
    heard AS (SELECT hour, service_name, sum(events) AS events FROM service_hours FINAL GROUP BY hour, service_name),
    refused AS (
        SELECT toStartOfHour(if(reason != 'future_time' AND claimed > '2020-01-01', claimed, toDateTime(time, 'UTC'))) AS hour,
            JSONExtractString(value, 'service_name') AS service_name, count() AS letters
        FROM (
            SELECT *, toDateTime(intDiv(JSONExtractUInt(value, 'time_unix_nano'), 1000000000), 'UTC') AS claimed
            FROM dead_letters FINAL WHERE endsWith(origin_topic, 'inference.v1')
        )
        GROUP BY hour, service_name
    ),
    (SELECT max(hour) FROM service_hours) AS newest,
    lives AS (
        SELECT service_name, toDateTime(arrayJoin(range(toUInt32(first), toUInt32(last) + 1, 3600)), 'UTC') AS hour
        FROM (
            SELECT service_name, greatest(min(hour), newest - INTERVAL 400 DAY) AS first,
                if(max(hour) > newest - INTERVAL 7 DAY, greatest(newest, max(hour)), max(hour)) AS last
            FROM (
                SELECT hour, service_name FROM heard
                UNION ALL
                SELECT hour, service_name FROM refused WHERE service_name != ''
            )
            GROUP BY service_name
        )
    ),
    unnamed AS (
        SELECT letters.hour AS hour, letters.number / (letters.number + fleet.events) AS share
        FROM (SELECT hour, sum(letters) AS number FROM refused WHERE service_name = '' GROUP BY hour) AS letters
        LEFT JOIN (SELECT hour, sum(events) AS events FROM heard GROUP BY hour) AS fleet ON fleet.hour = letters.hour
    ),
    dropped AS (
        SELECT toStartOfHour(toDateTime(time, 'UTC')) AS hour, service_name,
            sum(ifNull(dropped, 0)) + sum(ifNull(refused, 0)) AS number
        FROM telemetry FINAL WHERE dropped > 0 OR refused > 0 GROUP BY hour, service_name
    ),
    delayed AS (
        SELECT toStartOfHour(toDateTime(time, 'UTC')) AS hour, service_name, sum(most) AS number
        FROM (
            SELECT time, service_name, max(late) AS most FROM windows WHERE late > 0
            GROUP BY time, source_topic_id, source_partition, tick, tenant_id, service_name, model_version,
                deployment_variant
        )
        GROUP BY hour, service_name
    ),
    gaps AS (
        SELECT service_name, arrayStringConcat(arraySort(groupUniqArray(toString(what))), ' and ') AS whats,
            toDateTime(arrayJoin(range(
                toUInt32(toStartOfHour(toDateTime(began, 'UTC'))),
                toUInt32(ifNull(toDateTime(ended, 'UTC'), newest + INTERVAL 1 HOUR)), 3600
            )), 'UTC') AS hour
        FROM telemetry_gaps GROUP BY service_name, hour
    ),
    guarded AS (
        SELECT hour, service_name, sum(outputs) AS outputs, sum(covered) AS covered
        FROM guard_hours_now GROUP BY hour, service_name
    ),
    arrayFilter(reason -> reason != '', [
        if(heard.events = 0, 'no events', ''),
        if(gaps.whats != '', concat('telemetry ', gaps.whats), ''),
        if(dropped.number > 0, concat(toString(dropped.number), ' events lost at the source'), ''),
        if(refused.letters > 0.01 * (refused.letters + heard.events), concat(toString(refused.letters), ' events refused'), ''),
        if(unnamed.share > 0.01, 'refused events that name no service', ''),
        if(delayed.number > 0.05 * heard.events, concat(toString(delayed.number), ' events late'), '')
    ]) AS reasons,
    if(guarded.covered < 0.99 * guarded.outputs,
        [concat('guard coverage ', toString(floor(100 * guarded.covered / guarded.outputs, 1)), ' %')], []) AS unguarded
SELECT
    lives.hour AS window_start, lives.service_name AS service_name, heard.events AS events,
    guarded.outputs AS outputs, guarded.covered AS covered, delayed.number AS late,
    dropped.number AS lost, refused.letters AS dead_letters,
    if(empty(reasons), 'trusted', 'untrusted') AS trust, arrayStringConcat(reasons, ', ') AS trust_reason,
    if(empty(reasons) AND empty(unguarded), 'trusted', 'untrusted') AS guard_trust,
    arrayStringConcat(arrayConcat(reasons, unguarded), ', ') AS guard_trust_reason
FROM lives
LEFT JOIN heard ON heard.hour = lives.hour AND heard.service_name = lives.service_name
LEFT JOIN refused ON refused.hour = lives.hour AND refused.service_name = lives.service_name
LEFT JOIN unnamed ON unnamed.hour = lives.hour
LEFT JOIN dropped ON dropped.hour = lives.hour AND dropped.service_name = lives.service_name
LEFT JOIN delayed ON delayed.hour = lives.hour AND delayed.service_name = lives.service_name
LEFT JOIN gaps ON gaps.hour = lives.hour AND gaps.service_name = lives.service_name
LEFT JOIN guarded ON guarded.hour = lives.hour AND guarded.service_name = lives.service_name;

-- Windows of `step` seconds from `since` on, with the trust of their hours.
CREATE VIEW kpi_frame AS
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
FROM kpi_trust AS trusts
WHERE trusts.window_start >= {since:DateTime('UTC')} AND trusts.window_start < {until:DateTime('UTC')}
GROUP BY window_start, service_name;

-- The counts of each window; one row without a version where a window has none, so that it shows as not known.
CREATE VIEW kpi_counts AS
SELECT
    frame.window_start AS window_start, frame.service_name AS service_name, counted.version AS model_version,
    frame.trust AS trust, frame.trust_reason AS trust_reason,
    frame.guard_trust AS guard_trust, frame.guard_trust_reason AS guard_trust_reason,
    counted.events AS events, counted.* EXCEPT (bucket, service_name, version, events), guarded.* EXCEPT (bucket, service_name, version)
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
) AS counted ON counted.bucket = frame.window_start AND counted.service_name = frame.service_name
LEFT JOIN (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(hour) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS bucket,
        service_name, if({versions:UInt8}, toString(model_version), '') AS version,
        sum(outputs) AS outputs, sum(covered) AS covered, sum(served) AS served, sum(exposed) AS exposed
    FROM guard_hours_now
    WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY bucket, service_name, version
) AS guarded ON guarded.bucket = frame.window_start AND guarded.service_name = frame.service_name
    AND guarded.version = counted.version;

CREATE VIEW probes_now AS
SELECT
    probe_id, service_name, argMin(probes.model_version, probes.minute) AS model_version, min(probes.minute) AS minute,
    probe_id IN (SELECT probe_id FROM probe_minutes FINAL WHERE detections > 0) AS detected
FROM (SELECT * FROM probe_minutes FINAL WHERE sent > 0) AS probes
GROUP BY probe_id, service_name;

-- Labels as they stood at a moment: said by then, and not superseded by then.
CREATE VIEW labels_known AS
SELECT
    event_id, target_event_id, evaluation_name, label, annotator_kind, annotator_pseudo_id, score, queued_at,
    service_name, model_version, time, ifNull(labelled_at, time) AS said_at
FROM review_labels FINAL
WHERE said_at <= {known_at:DateTime('UTC')} AND event_id NOT IN (
    SELECT supersedes_label_id FROM review_labels FINAL
    WHERE supersedes_label_id != '' AND ifNull(labelled_at, time) <= {known_at:DateTime('UTC')}
);

-- Shares, each with the interval of Wilson (1927). `part` names a stage where there is one.
CREATE VIEW kpi_ratios AS
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
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n,
        if(ratio.4 = 'guards', guard_trust, trust) AS trust,
        if(ratio.4 = 'guards', guard_trust_reason, trust_reason) AS trust_reason
    FROM kpi_counts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
    ARRAY JOIN [
        ('unsafe_served', unsafe_served, unsafe_served_trials, 'guards'),
        ('unsafe_attempted', unsafe_attempted, unsafe_attempted_trials, 'guards'),
        ('mitigation', toUInt64(unsafe_attempted - least(unsafe_served, unsafe_attempted)), unsafe_attempted, 'guards'),
        ('injection_flag', injection_flag, injection_flag_trials, 'guards'),
        ('over_refusal', over_refusal, over_refusal_trials, 'guards'),
        ('guard_coverage', covered, outputs, ''),
        ('fail_open', exposed, served, '')
    ] AS ratio
    UNION ALL
    SELECT
        ratio.1 AS kpi, '' AS part, window_start, service_name, '' AS model_version,
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, trust, trust_reason
    FROM kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32})
    ARRAY JOIN [
        ('lost_events', toUInt64(lost + dead_letters), toUInt64(events + lost + dead_letters)),
        ('late_events', toUInt64(least(late, events)), toUInt64(events))
    ] AS ratio
    UNION ALL
    SELECT
        counted.kpi AS kpi, counted.part AS part, counted.window_start AS window_start,
        counted.service_name AS service_name, counted.version AS model_version,
        counted.numerator AS numerator, counted.n AS n,
        if(frame.trust = '', 'untrusted', frame.trust) AS trust,
        if(frame.trust = '', 'no events', frame.trust_reason) AS trust_reason
    FROM (
        SELECT
            'injection_detection' AS kpi, '' AS part,
            toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(minute) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
            service_name, if({versions:UInt8}, toString(model_version), '') AS version,
            toFloat64(countIf(detected)) AS numerator, count() AS n
        FROM probes_now
        WHERE minute >= {since:DateTime('UTC')} AND minute < {until:DateTime('UTC')}
        GROUP BY window_start, service_name, version
        UNION ALL
        SELECT
            'stage_errors' AS kpi, toString(stage) AS part,
            toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(hour) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
            service_name, if({versions:UInt8}, toString(model_version), '') AS version,
            toFloat64(sum(failed)) AS numerator, sum(judged) AS n
        FROM stage_hours FINAL
        WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
        GROUP BY window_start, service_name, version, part
        UNION ALL
        SELECT
            'satisfaction' AS kpi, '' AS part,
            toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(said_at, 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
            service_name, if({versions:UInt8}, toString(model_version), '') AS version,
            assumeNotNull(sum(score)) AS numerator, count() AS n
        FROM labels_known(known_at='2106-01-01 00:00:00')
        WHERE annotator_kind = 'end_user' AND score BETWEEN 0 AND 1 AND said_at >= {since:DateTime('UTC')} AND said_at < {until:DateTime('UTC')}
        GROUP BY window_start, service_name, version
    ) AS counted
    LEFT JOIN kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
        ON frame.window_start = counted.window_start AND frame.service_name = counted.service_name
);

-- Incidents with the first time of each state since they were last reopened; detection is always the first one.
CREATE VIEW incident_clocks AS
WITH (transition IN ('detected', 'triggered')) AS detecting, (transition IN ('closed', 'resolved')) AS closing,
    last_reopened IS NULL OR transition_time >= last_reopened AS current
SELECT
    incident_id, argMin(service_name, transition_time) AS service_name,
    argMaxIf(family, transition_time, family != '') AS family, argMax(severity, transition_time) AS severity,
    minOrNull(onset_time) AS onset, minOrNullIf(transition_time, detecting) AS detected,
    minOrNullIf(transition_time, transition = 'acknowledged' AND actor_kind = 'human') AS acknowledged,
    minOrNullIf(transition_time, transition = 'mitigated') AS mitigated,
    minOrNullIf(transition_time, transition = 'recovered' AND current) AS recovered,
    minOrNullIf(transition_time, closing AND current) AS closed,
    ifNull(max(false_positive), false) AS false_positive,
    countIf(transition = 'merged' AND into_incident_id != '') > 0 AS merged,
    argMaxIf(reached_user, transition_time, reached_user IS NOT NULL) AS reached_user
FROM (
    SELECT *, max(if(transition = 'reopened', transition_time, NULL)) OVER (PARTITION BY incident_id) AS last_reopened
    FROM incident_transitions FINAL
)
GROUP BY incident_id
HAVING detected IS NOT NULL;

-- Everything that takes a time people answer for: from when, for how many seconds, or still waiting.
CREATE VIEW clock_spans AS
SELECT
    clock.1 AS name, service_name, assumeNotNull(detected) AS began, clock.2 / 1000 AS seconds, clock.3 AS waiting
FROM (
    SELECT *, closed IS NULL AS open FROM incident_clocks WHERE NOT false_positive AND NOT merged
)
ARRAY JOIN [
    ('time_to_detect', dateDiff('millisecond', onset, detected), false),
    ('time_to_acknowledge', dateDiff('millisecond', detected, acknowledged), open AND acknowledged IS NULL),
    ('time_to_mitigate', dateDiff('millisecond', detected, mitigated), open AND mitigated IS NULL),
    ('time_to_recover', dateDiff('millisecond', detected, recovered), open AND recovered IS NULL),
    ('time_to_close', dateDiff('millisecond', detected, closed), open)
] AS clock
UNION ALL
SELECT
    'review_turnaround', items.service_name, items.began,
    dateDiff('millisecond', items.began, items.said_at) / 1000, items.said_at IS NULL
FROM (
    SELECT
        if(item.service_name != '', item.service_name, label.service_name) AS service_name,
        ifNull(label.queued_at, item.time) AS began, label.said_at AS said_at
    FROM (
        SELECT target_event_id, any(service_name) AS service_name, min(time) AS time
        FROM review_items FINAL GROUP BY target_event_id
    ) AS item
    FULL JOIN (
        SELECT target_event_id, any(service_name) AS service_name, min(queued_at) AS queued_at,
            toNullable(min(said_at)) AS said_at
        FROM labels_known(known_at='2106-01-01 00:00:00')
        WHERE annotator_kind = 'human' GROUP BY target_event_id
    ) AS label ON label.target_event_id = item.target_event_id
    WHERE began > '2020-01-01'
) AS items;

-- Median, 90th percentile, and the ages of those still waiting. Intervals are order statistics (binomial ranks).
CREATE VIEW kpi_durations AS
WITH 1.959963984540054 AS z
SELECT
    concat(name, measure.1) AS kpi, '' AS part, spans.window_start AS window_start,
    spans.service_name AS service_name, '' AS model_version,
    measure.2 AS value, measure.3 AS lower, measure.4 AS upper, measure.5 AS n,
    if(frame.trust = '', 'untrusted', frame.trust) AS trust,
    if(frame.trust = '', 'no events', frame.trust_reason) AS trust_reason
FROM (
    SELECT
        name, toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(began, 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        service_name, arraySort(groupArrayIf(assumeNotNull(seconds), seconds IS NOT NULL)) AS sorted,
        length(sorted) AS number,
        arrayJoin([
            ('', quantileExactInclusiveOrNullIf(0.5)(assumeNotNull(seconds), seconds IS NOT NULL), 0.5),
            ('_p90', quantileExactInclusiveOrNullIf(0.9)(assumeNotNull(seconds), seconds IS NOT NULL), 0.9)
        ]) AS wanted,
        toInt64(floor(number * wanted.3 - z * sqrt(number * wanted.3 * (1 - wanted.3)))) AS low,
        toInt64(ceil(number * wanted.3 + z * sqrt(number * wanted.3 * (1 - wanted.3)))) + 1 AS high,
        (
            wanted.1, wanted.2, if(low >= 1, toNullable(sorted[low]), NULL),
            if(high <= number, toNullable(sorted[high]), NULL), toUInt64(number)
        ) AS measure
    FROM clock_spans
    WHERE began >= {since:DateTime('UTC')} AND began < {until:DateTime('UTC')}
    GROUP BY name, window_start, service_name
    UNION ALL
    SELECT
        name, toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(began, 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        service_name, [], 0, ('', NULL, 0), 0, 0,
        (
            '_open',
            quantileExactInclusiveOrNull(0.5)(dateDiff('millisecond', began, moment) / 1000),
            CAST(NULL AS Nullable(Float64)), CAST(NULL AS Nullable(Float64)), count()
        ) AS measure
    FROM (SELECT *, least(now64(3, 'UTC'), toDateTime64({until:DateTime('UTC')}, 3, 'UTC')) AS moment FROM clock_spans)
    WHERE waiting AND began >= {since:DateTime('UTC')} AND began < {until:DateTime('UTC')}
    GROUP BY name, window_start, service_name
) AS spans
LEFT JOIN kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
    ON frame.window_start = spans.window_start AND frame.service_name = spans.service_name;

-- Drift findings, and since when they are over. A vote has no recovery of its own and lapses after a week.
CREATE VIEW drift_indicators AS
SELECT
    opened.finding_id AS finding_id, opened.kind AS kind, opened.service_name AS service_name,
    opened.model_version AS model_version, opened.metric AS metric, opened.detected_time AS detected_time,
    multiIf(back.recovered IS NOT NULL, back.recovered,
        opened.kind = 'drift_vote', opened.detected_time + INTERVAL 7 DAY, NULL) AS ended
FROM (
    SELECT * FROM findings FINAL WHERE kind IN ('quantity', 'mix', 'drift_vote', 'pattern')
) AS opened
LEFT JOIN (
    SELECT opened_finding_id, toNullable(min(detected_time)) AS recovered
    FROM findings FINAL WHERE kind = 'recovery' GROUP BY opened_finding_id
) AS back ON back.opened_finding_id = opened.finding_id;

-- Whole numbers: counts of what was recorded, so without an interval. `n` is what they were counted among.
CREATE VIEW kpi_totals AS
SELECT
    'leak_events' AS kpi, '' AS part, window_start, service_name, model_version,
    if(events = 0, NULL, toNullable(toFloat64(leak))) AS value,
    CAST(NULL AS Nullable(Float64)) AS lower, CAST(NULL AS Nullable(Float64)) AS upper,
    leak_trials AS n, guard_trust AS trust, guard_trust_reason AS trust_reason
FROM kpi_counts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
UNION ALL
SELECT
    'leak_incidents', '', frame.window_start, frame.service_name, '',
    if(frame.events = 0 AND leaks.n = 0, NULL, toNullable(toFloat64(leaks.reached))), NULL, NULL, leaks.n,
    frame.guard_trust, frame.guard_trust_reason
FROM kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
LEFT JOIN (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(assumeNotNull(detected), 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        service_name, count() AS n, countIf(ifNull(reached_user, true)) AS reached
    FROM incident_clocks
    WHERE family = 'leak' AND NOT false_positive AND NOT merged AND detected >= {since:DateTime('UTC')} AND detected < {until:DateTime('UTC')}
    GROUP BY window_start, service_name
) AS leaks ON leaks.window_start = frame.window_start AND leaks.service_name = frame.service_name
UNION ALL
SELECT
    'drift_open', '', frame.window_start, frame.service_name, '',
    if(frame.events = 0, NULL, toNullable(toFloat64(drifts.number))), NULL, NULL, drifts.metrics,
    frame.trust, frame.trust_reason
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

-- Risk-adjusted uptime, formula 1, and what is left of the error budget.
-- up(hour) = 1 - errors / calls; risk(hour) = min(1, w * p / (1 - objective)), p the unsafe share that was served and w
-- the mean weight of its severities (none said 1, low 0.3, medium 1, high 3, critical 10); uptime is the mean of
-- up * (1 - risk) over the hours with outputs. Its bounds put those of p (Wilson) in, hour by hour, so they are wide.
-- The budget left is 1 - p / (1 - objective); below 0 it is overspent.
CREATE VIEW kpi_objectives AS
WITH 1.959963984540054 AS z, 1 - {objective:Float64} AS tolerated
SELECT
    'risk_adjusted_uptime' AS kpi, '' AS part, hours.bucket AS window_start,
    hours.service_name AS service_name, hours.model_version AS model_version,
    avgOrNullIf(up * (1 - least(1, weight * p / tolerated)), outputs > 0) AS value,
    avgOrNullIf(up * (1 - least(1, weight * high / tolerated)), outputs > 0) AS lower,
    avgOrNullIf(up * (1 - least(1, weight * low / tolerated)), outputs > 0) AS upper,
    countIf(outputs > 0) AS n,
    if(any(frame.guard_trust) = 'trusted', 'trusted', 'untrusted') AS trust, any(frame.guard_trust_reason) AS trust_reason
FROM (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(window_start) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS bucket,
        service_name, model_version, unsafe_served_trials AS outputs, unsafe_served AS k, k / outputs AS p,
        if(error_trials = 0, 1, 1 - error / error_trials) AS up,
        if(k = 0, 1, (10 * unsafe_by_severity[4] + 3 * unsafe_by_severity[3] + unsafe_by_severity[2]
            + 0.3 * unsafe_by_severity[1] + greatest(toInt64(k) - unsafe_by_severity[1] - unsafe_by_severity[2]
            - unsafe_by_severity[3] - unsafe_by_severity[4], 0)) / k) AS weight,
        1 + z * z / outputs AS scale, (p + z * z / (2 * outputs)) / scale AS middle,
        z / scale * sqrt(p * (1 - p) / outputs + z * z / (4 * outputs * outputs)) AS half,
        if(k = 0, 0, greatest(middle - half, 0)) AS low, if(k = outputs, 1, least(middle + half, 1)) AS high
    FROM kpi_counts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step=3600, versions={versions:UInt8})
) AS hours
LEFT JOIN kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame ON frame.window_start = hours.bucket AND frame.service_name = hours.service_name
GROUP BY window_start, service_name, model_version
UNION ALL
SELECT
    'error_budget', '', window_start, service_name, model_version,
    1 - value / tolerated, 1 - upper / tolerated, 1 - lower / tolerated, n, trust, trust_reason
FROM kpi_ratios(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
WHERE kpi = 'unsafe_served';

-- Burn rates up to a moment over a long window and its short one: the smaller of the two, which is what an alert
-- compares with the threshold in `part` (Site Reliability Workbook, chapter 5).
CREATE VIEW kpi_burn_rates AS
WITH 1.959963984540054 AS z, 1 - {objective:Float64} AS tolerated, 1 + z * z / n AS scale,
    (p + z * z / (2 * n)) / scale AS middle, z / scale * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) AS half
SELECT
    'burn_rate' AS kpi, pair.1 AS part, {at:DateTime('UTC')} AS window_start, sums.service_name AS service_name,
    '' AS model_version, if(n = 0, NULL, p) / tolerated AS value,
    multiIf(n = 0, NULL, p = 0, 0, greatest(middle - half, 0)) / tolerated AS lower,
    multiIf(n = 0, NULL, p = 1, 1, least(middle + half, 1)) / tolerated AS upper, n,
    if(frame.guard_trust = '', 'untrusted', frame.guard_trust) AS trust,
    if(frame.guard_trust = '', 'no events', frame.guard_trust_reason) AS trust_reason
FROM (
    SELECT
        service_name,
        arrayJoin([('1h/5m > 14.4', 60, 5), ('6h/30m > 6', 360, 30), ('3d/6h > 1', 4320, 360)]) AS pair,
        sumIf(trials, age < pair.2) AS long_n, sumIf(unsafe, age < pair.2) / long_n AS long_p,
        sumIf(trials, age < pair.3) AS short_n, sumIf(unsafe, age < pair.3) / short_n AS short_p,
        if(short_n > 0 AND short_p > long_p, long_n, short_n) AS n,
        if(short_n > 0 AND short_p > long_p, long_p, short_p) AS p
    FROM (
        SELECT service_name, intDiv(toUInt32({at:DateTime('UTC')}) - toUInt32(minute) - 1, 60) AS age,
            sum(unsafe_served_trials) AS trials, sum(unsafe_served) AS unsafe
        FROM service_minutes FINAL
        WHERE minute < {at:DateTime('UTC')} AND minute >= {at:DateTime('UTC')} - INTERVAL 3 DAY
        GROUP BY service_name, age
    )
    GROUP BY service_name, pair
) AS sums
LEFT JOIN (
    SELECT service_name, guard_trust, guard_trust_reason
    FROM kpi_frame(since=toStartOfHour({at:DateTime('UTC')} - INTERVAL 3 DAY), until={at:DateTime('UTC')}, step=864000)
) AS frame ON frame.service_name = sums.service_name;

-- Latency of each stage from bins an eighth of a doubling wide: the middle of the bin, and order-statistic bounds.
CREATE VIEW kpi_latencies AS
WITH 1.959963984540054 AS z
SELECT
    wanted.1 AS kpi, stages.stage AS part, stages.window_start AS window_start, stages.service_name AS service_name,
    stages.version AS model_version,
    if(number = 0, NULL, exp2((bin[arrayFirstIndex(x -> x >= wanted.2 * number, upto)] + 0.5) / 8)) AS value,
    if(low < 1, NULL, exp2(bin[arrayFirstIndex(x -> x >= low, upto)] / 8)) AS lower,
    if(high > number, NULL, exp2((bin[arrayFirstIndex(x -> x >= high, upto)] + 1) / 8)) AS upper,
    number AS n, if(frame.trust = '', 'untrusted', frame.trust) AS trust,
    if(frame.trust = '', 'no events', frame.trust_reason) AS trust_reason
FROM (
    SELECT
        window_start, service_name, version, stage, mapKeys(summed) AS bin, arrayCumSum(mapValues(summed)) AS upto,
        arraySum(mapValues(summed)) AS number, arrayJoin([('latency_p50', 0.5), ('latency_p95', 0.95)]) AS wanted,
        toInt64(floor(number * wanted.2 - z * sqrt(number * wanted.2 * (1 - wanted.2)))) AS low,
        toInt64(ceil(number * wanted.2 + z * sqrt(number * wanted.2 * (1 - wanted.2)))) + 1 AS high
    FROM (
        SELECT
            toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(hour) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
            service_name, if({versions:UInt8}, toString(model_version), '') AS version, toString(stage) AS stage, mapSort(sumMap(bins)) AS summed
        FROM stage_hours FINAL
        WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
        GROUP BY window_start, service_name, version, stage
    )
) AS stages
LEFT JOIN kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
    ON frame.window_start = stages.window_start AND frame.service_name = stages.service_name;

-- Items drawn for review with what people said of them by then: the mean over reviewers, NULL where nobody has.
CREATE VIEW reviewed_items AS
SELECT
    items.target_event_id AS target_event_id, items.service_name AS service_name,
    items.model_version AS model_version, items.time AS time, items.stratum AS stratum,
    items.sampling_probability AS propensity, labels.unsafe AS unsafe
FROM (
    SELECT target_event_id, argMin(service_name, event_id) AS service_name, argMin(model_version, event_id) AS model_version,
        min(review_items.time) AS time, argMin(review_items.stratum, event_id) AS stratum,
        argMin(review_items.sampling_probability, event_id) AS sampling_probability
    FROM review_items FINAL
    WHERE sampling_method IN ('random', 'stratified') AND review_items.time <= {known_at:DateTime('UTC')}
    GROUP BY target_event_id
) AS items
LEFT JOIN (
    SELECT target_event_id, toNullable(avg(label = 'unsafe')) AS unsafe
    FROM labels_known(known_at={known_at:DateTime('UTC')})
    WHERE annotator_kind = 'human' AND label != 'cannot_judge'
    GROUP BY target_event_id
) AS labels ON labels.target_event_id = items.target_event_id;

-- The unsafe share of outputs as reviewers see it: Horvitz and Thompson (1952) within strata, which are weighted by the
-- sum of 1 / propensity over all items drawn from them. The spread of a stratum is taken at (unsafe + 1/2) / (labels + 1),
-- so that a stratum without a find is not taken for certain; one without labels widens the bounds by its whole weight.
CREATE VIEW kpi_reviewed AS
WITH 1.959963984540054 AS z
SELECT
    'unsafe_reviewed' AS kpi, '' AS part, strata.window_start AS window_start, strata.service_name AS service_name,
    strata.version AS model_version,
    sumIf(weight * share, labelled > 0) / sumIf(weight, labelled > 0) AS share_unsafe,
    if(sum(labelled) = 0, NULL, share_unsafe) AS value,
    sumIf(weight, labelled > 0) / sum(weight) AS seen,
    z * sqrt(sumIf(pow(weight, 2) * spread / labelled * (1 - least(1, labelled / weight)), labelled > 0)) / sum(weight) AS half,
    if(sum(labelled) = 0, NULL, greatest(0, share_unsafe * seen - half)) AS lower,
    if(sum(labelled) = 0, NULL, least(1, share_unsafe * seen + half + 1 - seen)) AS upper,
    sum(labelled) AS n, if(any(frame.trust) = '', 'untrusted', any(frame.trust)) AS trust,
    if(any(frame.trust) = '', 'no events', any(frame.trust_reason)) AS trust_reason
FROM (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(time, 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        service_name, if({versions:UInt8}, toString(model_version), '') AS version, stratum, sum(1 / propensity) AS weight, count(unsafe) AS labelled,
        ifNull(sum(unsafe / propensity) / sumIf(1 / propensity, unsafe IS NOT NULL), 0) AS share,
        (labelled * share + 0.5) / (labelled + 1) AS centre, centre * (1 - centre) AS spread
    FROM reviewed_items(known_at={known_at:DateTime('UTC')})
    WHERE time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')}
    GROUP BY window_start, service_name, version, stratum
) AS strata
LEFT JOIN kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
    ON frame.window_start = strata.window_start AND frame.service_name = strata.service_name
GROUP BY window_start, service_name, model_version;

-- Agreement of the first two people who judged the same thing: Cohen's kappa (1960) with his large-sample error.
CREATE VIEW kpi_agreements AS
WITH 1.959963984540054 AS z
SELECT
    'review_agreement' AS kpi, '' AS part, pairs.window_start AS window_start, pairs.service_name AS service_name,
    '' AS model_version, if(expected = 1, NULL, (agreed - expected) / (1 - expected)) AS value,
    if(expected = 1, NULL, greatest(-1, value - half)) AS lower, if(expected = 1, NULL, least(1, value + half)) AS upper,
    pairs.number AS n, if(frame.trust = '', 'untrusted', frame.trust) AS trust,
    if(frame.trust = '', 'no events', frame.trust_reason) AS trust_reason
FROM (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(began, 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        service_name, count() AS number, avg(said[1] = said[2]) AS agreed,
        sumMap(map(said[1], 1)) AS first, sumMap(map(said[2], 1)) AS second,
        arraySum(label -> first[label] * second[label], mapKeys(first)) / (number * number) AS expected,
        z * sqrt(agreed * (1 - agreed) / number) / (1 - expected) AS half
    FROM (
        SELECT any(service) AS service_name, min(at) AS began,
            arrayMap(entry -> toString(entry.3), arraySort(groupArray((at, annotator_pseudo_id, word)))) AS said
        FROM (
            SELECT target_event_id, evaluation_name, annotator_pseudo_id, any(service_name) AS service,
                min(said_at) AS at, argMin(label, (said_at, event_id)) AS word
            FROM labels_known(known_at='2106-01-01 00:00:00')
            WHERE annotator_kind = 'human' AND label != 'cannot_judge'
            GROUP BY target_event_id, evaluation_name, annotator_pseudo_id
        )
        GROUP BY target_event_id, evaluation_name
        HAVING length(said) >= 2
    )
    WHERE began >= {since:DateTime('UTC')} AND began < {until:DateTime('UTC')}
    GROUP BY window_start, service_name
) AS pairs
LEFT JOIN kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
    ON frame.window_start = pairs.window_start AND frame.service_name = pairs.service_name;

-- What is agreed about each service: policy, required guard, runbook and owner; without a name, the share with all four.
CREATE VIEW governed_services AS
SELECT
    lives.service_name AS service_name, own.listed AS has_policy, notEmpty(own.required_guards) AS has_guard,
    own.runbook != '' AS has_runbook, own.owner != '' AS has_owner,
    has_policy + has_guard + has_runbook + has_owner AS have
FROM (
    SELECT DISTINCT toString(service_name) AS service_name FROM service_hours
    WHERE hour > (SELECT max(hour) FROM service_hours) - INTERVAL 30 DAY
    UNION DISTINCT
    SELECT service_name FROM service_policies_now WHERE service_name != ''
) AS lives
LEFT JOIN (SELECT *, true AS listed FROM service_policies_now) AS own ON own.service_name = lives.service_name;

CREATE VIEW kpi_governance_now AS
SELECT
    'governance' AS kpi, '' AS part, toStartOfHour((SELECT max(hour) FROM service_hours)) AS window_start,
    service_name, '' AS model_version, if(published, toNullable(share), NULL) AS value,
    CAST(NULL AS Nullable(Float64)) AS lower, CAST(NULL AS Nullable(Float64)) AS upper, n,
    if(published, 'trusted', 'untrusted') AS trust, if(published, '', 'no policy was published') AS trust_reason
FROM (
    SELECT service_name, have / 4 AS share, 4 AS n FROM governed_services
    UNION ALL
    SELECT '' AS service_name, countIf(have = 4) / count() AS share, count() AS n FROM governed_services HAVING n > 0
) AS shares
CROSS JOIN (SELECT count() > 0 AS published FROM service_policies_now) AS policies;

-- Every KPI in windows of `step` seconds, by version or not, as known at a moment; one row each where the step is the
-- whole period. Shares are of the counts of the period, never means of shares of hours.
CREATE VIEW kpis AS
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_totals(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_objectives(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8}, objective={objective:Float64})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_latencies(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_reviewed(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8}, known_at={known_at:DateTime('UTC')})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_agreements(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_burn_rates(objective={objective:Float64}, at={until:DateTime('UTC')})
UNION ALL
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_governance_now;

-- The same by the hour and version, one view each.

CREATE VIEW kpi_unsafe_served AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'unsafe_served';

CREATE VIEW kpi_unsafe_attempted AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'unsafe_attempted';

CREATE VIEW kpi_mitigation AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'mitigation';

CREATE VIEW kpi_injection_flag AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'injection_flag';

CREATE VIEW kpi_injection_detection AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'injection_detection';

CREATE VIEW kpi_guard_coverage AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'guard_coverage';

CREATE VIEW kpi_fail_open AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'fail_open';

CREATE VIEW kpi_lost_events AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'lost_events';

CREATE VIEW kpi_late_events AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'late_events';

CREATE VIEW kpi_satisfaction AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'satisfaction';

CREATE VIEW kpi_stage_errors AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason, part
FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'stage_errors';

CREATE VIEW kpi_leak_events AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_totals(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'leak_events';

CREATE VIEW kpi_leak_incidents AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_totals(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'leak_incidents';

CREATE VIEW kpi_drift_open AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_totals(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'drift_open';

CREATE VIEW kpi_risk_adjusted_uptime AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_objectives(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1, objective=0.99) WHERE kpi = 'risk_adjusted_uptime';

CREATE VIEW kpi_error_budget AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_objectives(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1, objective=0.99) WHERE kpi = 'error_budget';

CREATE VIEW kpi_latency_p50 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason, part
FROM kpi_latencies(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'latency_p50';

CREATE VIEW kpi_latency_p95 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason, part
FROM kpi_latencies(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'latency_p95';

CREATE VIEW kpi_time_to_detect AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_detect';

CREATE VIEW kpi_time_to_detect_p90 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_detect_p90';

CREATE VIEW kpi_time_to_acknowledge AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_acknowledge';

CREATE VIEW kpi_time_to_acknowledge_p90 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_acknowledge_p90';

CREATE VIEW kpi_time_to_acknowledge_open AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_acknowledge_open';

CREATE VIEW kpi_time_to_mitigate AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_mitigate';

CREATE VIEW kpi_time_to_mitigate_p90 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_mitigate_p90';

CREATE VIEW kpi_time_to_mitigate_open AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_mitigate_open';

CREATE VIEW kpi_time_to_recover AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_recover';

CREATE VIEW kpi_time_to_recover_p90 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_recover_p90';

CREATE VIEW kpi_time_to_recover_open AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_recover_open';

CREATE VIEW kpi_time_to_close AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_close';

CREATE VIEW kpi_time_to_close_p90 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_close_p90';

CREATE VIEW kpi_time_to_close_open AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'time_to_close_open';

CREATE VIEW kpi_review_turnaround AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'review_turnaround';

CREATE VIEW kpi_review_turnaround_p90 AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'review_turnaround_p90';

CREATE VIEW kpi_review_turnaround_open AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_durations(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'review_turnaround_open';

CREATE VIEW kpi_unsafe_reviewed AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_reviewed(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1, known_at='2106-01-01 00:00:00') WHERE kpi = 'unsafe_reviewed';

CREATE VIEW kpi_review_agreement AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_agreements(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600) WHERE kpi = 'review_agreement';

CREATE VIEW kpi_over_refusal AS
SELECT
    refusals.window_start AS window_start, refusals.service_name AS service_name,
    refusals.model_version AS model_version, refusals.value AS value, refusals.lower AS lower, refusals.upper AS upper,
    refusals.n AS n, refusals.trust AS trust, refusals.trust_reason AS trust_reason,
    unsafe.value AS unsafe_served, unsafe.lower AS unsafe_served_lower, unsafe.upper AS unsafe_served_upper
FROM (SELECT * FROM kpi_ratios(since='2020-01-01 00:00:00', until='2106-01-01 00:00:00', step=3600, versions=1) WHERE kpi = 'over_refusal') AS refusals
LEFT JOIN (SELECT * FROM kpi_unsafe_served) AS unsafe
    ON unsafe.window_start = refusals.window_start AND unsafe.service_name = refusals.service_name
    AND unsafe.model_version = refusals.model_version;

CREATE VIEW kpi_burn_rate AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason, part
FROM kpi_burn_rates(objective=0.99, at=(SELECT max(minute) FROM service_minutes) + INTERVAL 1 MINUTE);

CREATE VIEW kpi_governance AS
SELECT window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_governance_now;
