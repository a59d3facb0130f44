-- What people, delivery systems and reviewers say.

CREATE TABLE changes
(
    change_id String,
    subject_type LowCardinality(String),
    subject_name String,
    action LowCardinality(String),
    from_version String,
    to_version String,
    subject_digest String,
    rollout_weight Nullable(Float64),
    gate_name String,
    gate_result LowCardinality(String),
    gate_stats Map(String, Float64),
    reason String,
    trigger LowCardinality(String),
    incident_id String,
    initiator_id String,
    approver_ids Array(LowCardinality(String)),
    vcs_revision String,
    vcs_repository String,
    pipeline_run_id String,
    flag_key String,
    flag_variant String,
    flag_reason String,
    lineage_run_id String,
    model_card_url String,
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);

CREATE TABLE controls
(
    control LowCardinality(String),
    actor_kind LowCardinality(String),
    reason String,
    actor_id String,
    rule String,
    finding_id String,
    incident_id String,
    change_id String,
    to_version String,
    expires_at Nullable(DateTime64(9, 'UTC')),
    evidence Map(String, Float64),
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (service_name, event_id);

CREATE TABLE review_items
(
    target_event_id String,
    target_kind LowCardinality(String),
    queue LowCardinality(String),
    sampling_method LowCardinality(String),
    sampling_probability Float64,
    stratum Int64,
    reviewers Int64,
    flagged Nullable(Bool),
    score Nullable(Float64),
    risk Nullable(Float64),
    categories Array(LowCardinality(String)),
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (target_event_id, event_id);

CREATE TABLE review_labels
(
    target_event_id String,
    evaluation_name String,
    label LowCardinality(String),
    annotator_kind LowCardinality(String),
    sampling_method LowCardinality(String),
    sampling_probability Float64,
    target_response_id String,
    score Nullable(Float64),
    categories Array(LowCardinality(String)),
    severity Nullable(Int64),
    explanation_ref String,
    annotator_pseudo_id String,
    rubric_version String,
    queue String,
    queued_at Nullable(DateTime64(9, 'UTC')),
    labelled_at Nullable(DateTime64(9, 'UTC')),
    overrides_verdict_id String,
    supersedes_label_id String,
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);

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
