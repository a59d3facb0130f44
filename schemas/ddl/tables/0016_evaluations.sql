-- Runs of suites, by hazard.
CREATE TABLE evaluations
(
    suite String,
    items Int64,
    failed Int64,
    test_name String,
    category LowCardinality(String),
    suite_version String,
    run_id String,
    tool LowCardinality(String),
    tool_version String,
    judge String,
    judge_version String,
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (service_name, event_id);
