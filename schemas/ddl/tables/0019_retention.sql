-- What was removed because of its age. It is written before anything goes: sums of what is older are never made anew.
CREATE TABLE retention_runs
(
    ran_at DateTime('UTC'),
    kind LowCardinality(String),
    name LowCardinality(String),
    class LowCardinality(String),
    before DateTime('UTC'),
    gone UInt64,
    oldest Nullable(DateTime('UTC'))
)
ENGINE = MergeTree
ORDER BY (class, name, ran_at);
