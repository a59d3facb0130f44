-- What was counted and found, and what was refused.

CREATE TABLE findings
(
    finding_id String,
    kind LowCardinality(String),
    severity LowCardinality(String),
    service_name LowCardinality(String),
    metric LowCardinality(String),
    family LowCardinality(String),
    detected_time DateTime64(9, 'UTC'),
    detector String,
    detector_version String,
    tenant_id LowCardinality(String),
    model_version LowCardinality(String),
    direction LowCardinality(String),
    onset_time Nullable(DateTime64(9, 'UTC')),
    e_value Nullable(Float64),
    promise Nullable(Float64),
    rate Nullable(Float64),
    rate_lower Nullable(Float64),
    rate_upper Nullable(Float64),
    baseline Nullable(Float64),
    sample_size Nullable(Int64),
    flagged Nullable(Int64),
    versions Array(LowCardinality(String)),
    changes Array(LowCardinality(String)),
    tenants Array(LowCardinality(String)),
    event_ids Array(LowCardinality(String)),
    evidence String,
    evidence_sql String,
    opened_finding_id String,
    verdict String,
    details Map(String, Float64),
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(detected_time)
ORDER BY (finding_id);

CREATE TABLE windows
(
    time DateTime64(9, 'UTC'),
    tick Int64,
    tick_seconds Int32,
    source_topic_id LowCardinality(String),
    source_partition Int32,
    tenant_id LowCardinality(String),
    service_name LowCardinality(String),
    model_version LowCardinality(String),
    deployment_variant String,
    metric LowCardinality(String),
    trials Int64,
    flagged Int64,
    events Int64,
    flagged_events Int64,
    late Int64,
    {{ provenance() }},
    INDEX late_ones late TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
PRIMARY KEY (source_topic_id, source_partition, tick, tenant_id, service_name, model_version, metric)
ORDER BY (source_topic_id, source_partition, tick, tenant_id, service_name, model_version, metric, deployment_variant);

CREATE TABLE window_messages
(
    time DateTime64(9, 'UTC'),
    tick Int64,
    tick_seconds Int32,
    source_topic_id LowCardinality(String),
    source_partition Int32,
    payload String CODEC(ZSTD(3)),
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (source_topic_id, kafka_partition, tick, source_partition);

CREATE TABLE dead_letters
(
    time DateTime64(9, 'UTC'),
    origin_topic LowCardinality(String),
    origin_topic_id LowCardinality(String),
    origin_partition Int32,
    origin_offset Int64,
    reason LowCardinality(String),
    detail String,
    schema_version LowCardinality(String),
    value String,
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (origin_topic_id, origin_partition, origin_offset);
