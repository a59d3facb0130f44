-- Per minute and Kafka partition, recomputed from the base rows of that partition alone: one writer per row.

CREATE TABLE service_minutes
(
    minute DateTime('UTC'),
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
    guard_ok UInt64,
    guard_not_ok UInt64,
    uncovered UInt64,
    input_tokens UInt64,
    output_tokens UInt64,
    latency_bins Map(Int32, UInt64),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (kafka_topic_id, kafka_partition, minute, tenant_id, service_name, model_version);

CREATE TABLE category_minutes
(
    minute DateTime('UTC'),
    tenant_id LowCardinality(String),
    service_name LowCardinality(String),
    model_version LowCardinality(String),
    category LowCardinality(String),
    layer LowCardinality(String),
    findings UInt64,
    stopped UInt64,
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (kafka_topic_id, kafka_partition, minute, tenant_id, service_name, model_version, category, layer);

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
    sum(guard_ok) AS guard_ok, sum(guard_not_ok) AS guard_not_ok, sum(uncovered) AS uncovered,
    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sumMap(latency_bins) AS latency_bins
FROM service_minutes FINAL
GROUP BY minute, tenant_id, service_name, model_version;

CREATE VIEW category_minutes_now AS
SELECT
    minute, tenant_id, service_name, model_version, category, layer,
    sum(findings) AS findings, sum(stopped) AS stopped
FROM category_minutes FINAL
GROUP BY minute, tenant_id, service_name, model_version, category, layer;
