-- Ends of audit logs at a time, signed: as audit-heads.v1 has them.
CREATE TABLE audit_heads
(
    log LowCardinality(String),
    sequence Int64,
    hash String,
    time DateTime64(9, 'UTC'),
    line String,
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (log, sequence, kafka_topic_id, kafka_partition, kafka_offset);
