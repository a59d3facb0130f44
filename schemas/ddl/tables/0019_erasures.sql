-- Whose data were erased, as keyed hashes, and what of the store was changed because of that.
CREATE TABLE erasures
(
    subject LowCardinality(String),
    subject_hash String,
    key_id String,
    actor_id String,
    reason String,
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
ORDER BY event_id;

CREATE TABLE erasure_runs
(
    erasure_id String,
    ran_at DateTime('UTC'),
    changed UInt64
)
ENGINE = MergeTree
ORDER BY (erasure_id, ran_at);
