-- What the detector suite adds: two more rates in the bit sets, variants, findings of new kinds, windows as they came.

ALTER TABLE inferences
    MODIFY COLUMN trials UInt16, MODIFY COLUMN flagged UInt16, ADD COLUMN input_vector String AFTER content_ref;
ALTER TABLE agent_steps MODIFY COLUMN trials UInt16, MODIFY COLUMN flagged UInt16;
ALTER TABLE retrievals MODIFY COLUMN trials UInt16, MODIFY COLUMN flagged UInt16;
ALTER TABLE guard_verdicts MODIFY COLUMN trials UInt16, MODIFY COLUMN flagged UInt16;

ALTER TABLE windows
    ADD COLUMN deployment_variant String AFTER model_version,
    MODIFY ORDER BY (source_topic_id, source_partition, tick, tenant_id, service_name, model_version, metric,
        deployment_variant);

CREATE TABLE window_messages
(
    time DateTime64(9, 'UTC'),
    tick Int64,
    tick_seconds Int32,
    source_topic_id LowCardinality(String),
    source_partition Int32,
    payload String CODEC(ZSTD(3)),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index Int32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (source_topic_id, kafka_partition, tick, source_partition);

ALTER TABLE findings ADD COLUMN verdict String, ADD COLUMN details Map(String, Float64);

ALTER TABLE service_minutes
    ADD COLUMN over_refusal_trials UInt64 AFTER denied_tool,
    ADD COLUMN over_refusal UInt64 AFTER over_refusal_trials,
    ADD COLUMN guard_failure_trials UInt64 AFTER over_refusal,
    ADD COLUMN guard_failure UInt64 AFTER guard_failure_trials;

CREATE VIEW telemetry_gaps AS
SELECT
    opened.service_name AS service_name, opened.verdict AS what,
    assumeNotNull(opened.onset_time) AS began, closed.detected_time AS ended, opened.evidence AS evidence
FROM (SELECT * FROM findings FINAL WHERE kind = 'telemetry') AS opened
LEFT JOIN (
    SELECT opened_finding_id, toNullable(min(detected_time)) AS detected_time
    FROM findings FINAL WHERE kind = 'recovery' GROUP BY opened_finding_id
) AS closed ON closed.opened_finding_id = opened.finding_id
SETTINGS join_use_nulls = 1;

DROP VIEW service_minutes_now;

CREATE VIEW service_minutes_now AS
SELECT
    minute, tenant_id, service_name, model_version,
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
    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sumMap(latency_bins) AS latency_bins
FROM service_minutes FINAL
GROUP BY minute, tenant_id, service_name, model_version;
