-- That a direct identifier stood in a field of a record, and was masked or replaced by a pseudonym: never which.
CREATE TABLE masked_identifiers
(
    time DateTime64(9, 'UTC'),
    counted_time DateTime64(9, 'UTC'),
    service_name LowCardinality(String),
    source LowCardinality(String),
    tenant_id LowCardinality(String),
    field LowCardinality(String),
    kind LowCardinality(String),
    number UInt32,
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);
