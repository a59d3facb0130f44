-- Whether the telemetry of each hour is whole, judged every ten seconds (refreshed/trust_hours.sql).

CREATE TABLE trust_hours
(
    window_start DateTime('UTC'),
    service_name String,
    events UInt64,
    outputs UInt64,
    covered UInt64,
    served UInt64,
    exposed UInt64,
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
