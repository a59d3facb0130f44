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
