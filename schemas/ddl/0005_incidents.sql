-- Incidents and what is done about them, the review queue, and probes. A repeat has the same identity and replaces itself.

ALTER TABLE inferences ADD COLUMN probe_id String AFTER stage_latency_action_ms;
ALTER TABLE agent_steps ADD COLUMN probe_id String;
ALTER TABLE retrievals ADD COLUMN probe_id String;
ALTER TABLE guard_verdicts ADD COLUMN probe_id String;

DROP TABLE incident_transitions;

CREATE TABLE incident_transitions
(
    incident_id String,
    dedup_key String,
    transition LowCardinality(String),
    transition_time DateTime64(9, 'UTC'),
    actor_kind LowCardinality(String),
    severity LowCardinality(String),
    actor_id String,
    category String,
    layer LowCardinality(String),
    scope String,
    detector_id String,
    detector_version String,
    rule_id String,
    alert_fingerprint String,
    alert_starts_at Nullable(DateTime64(9, 'UTC')),
    onset_time Nullable(DateTime64(9, 'UTC')),
    onset_method LowCardinality(String),
    evidence_event_ids Array(LowCardinality(String)),
    evidence_count Nullable(Int64),
    evidence_hold Nullable(Bool),
    suspected_change_id String,
    mitigation_kind LowCardinality(String),
    users_affected Nullable(Int64),
    outputs_affected Nullable(Int64),
    reached_user Nullable(Bool),
    false_positive Nullable(Bool),
    serious_incident_class LowCardinality(String),
    aware_time Nullable(DateTime64(9, 'UTC')),
    report_due_time Nullable(DateTime64(9, 'UTC')),
    report_sent_time Nullable(DateTime64(9, 'UTC')),
    ticket_url String,
    postmortem_url String,
    family LowCardinality(String),
    services Array(LowCardinality(String)),
    finding_id String,
    action_id String,
    into_incident_id String,
    reason String,
    tenants_affected Nullable(Int64),
    sessions_affected Nullable(Int64),
    event_id String,
    source LowCardinality(String),
    time DateTime64(9, 'UTC'),
    service_name LowCardinality(String),
    schema_version LowCardinality(String),
    observed_time Nullable(DateTime64(9, 'UTC')),
    ingest_dialect LowCardinality(String),
    semconv_schema_url String,
    tenant_id LowCardinality(String),
    service_version LowCardinality(String),
    service_namespace String,
    environment LowCardinality(String),
    deployment_id String,
    deployment_variant LowCardinality(String),
    model_version LowCardinality(String),
    trace_id String,
    span_id String,
    parent_span_id String,
    conversation_id String,
    session_id String,
    user_pseudo_id String,
    labels Map(String, String),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index Int32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (incident_id, event_id);

CREATE TABLE incident_actions
(
    incident_id String,
    action LowCardinality(String),
    actor_kind LowCardinality(String),
    actor_id String,
    happened_at_unix_nano Nullable(Int64),
    reason String,
    mitigation_kind LowCardinality(String),
    into_incident_id String,
    alert_fingerprint String,
    alert_starts_at Nullable(DateTime64(9, 'UTC')),
    event_id String,
    source LowCardinality(String),
    time DateTime64(9, 'UTC'),
    service_name LowCardinality(String),
    schema_version LowCardinality(String),
    observed_time Nullable(DateTime64(9, 'UTC')),
    ingest_dialect LowCardinality(String),
    semconv_schema_url String,
    tenant_id LowCardinality(String),
    service_version LowCardinality(String),
    service_namespace String,
    environment LowCardinality(String),
    deployment_id String,
    deployment_variant LowCardinality(String),
    model_version LowCardinality(String),
    trace_id String,
    span_id String,
    parent_span_id String,
    conversation_id String,
    session_id String,
    user_pseudo_id String,
    labels Map(String, String),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index Int32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (incident_id, event_id);

CREATE TABLE incident_evidence
(
    incident_id String,
    moment LowCardinality(String),
    bundle String,
    complete Nullable(Bool),
    missing Array(LowCardinality(String)),
    event_id String,
    source LowCardinality(String),
    time DateTime64(9, 'UTC'),
    service_name LowCardinality(String),
    schema_version LowCardinality(String),
    observed_time Nullable(DateTime64(9, 'UTC')),
    ingest_dialect LowCardinality(String),
    semconv_schema_url String,
    tenant_id LowCardinality(String),
    service_version LowCardinality(String),
    service_namespace String,
    environment LowCardinality(String),
    deployment_id String,
    deployment_variant LowCardinality(String),
    model_version LowCardinality(String),
    trace_id String,
    span_id String,
    parent_span_id String,
    conversation_id String,
    session_id String,
    user_pseudo_id String,
    labels Map(String, String),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index Int32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (incident_id, event_id);

CREATE TABLE deliveries
(
    incident_id String,
    transition_event_id String,
    receiver LowCardinality(String),
    status LowCardinality(String),
    attempt Int64,
    http_status Nullable(Int64),
    duration_ms Nullable(Float64),
    detail String,
    event_id String,
    source LowCardinality(String),
    time DateTime64(9, 'UTC'),
    service_name LowCardinality(String),
    schema_version LowCardinality(String),
    observed_time Nullable(DateTime64(9, 'UTC')),
    ingest_dialect LowCardinality(String),
    semconv_schema_url String,
    tenant_id LowCardinality(String),
    service_version LowCardinality(String),
    service_namespace String,
    environment LowCardinality(String),
    deployment_id String,
    deployment_variant LowCardinality(String),
    model_version LowCardinality(String),
    trace_id String,
    span_id String,
    parent_span_id String,
    conversation_id String,
    session_id String,
    user_pseudo_id String,
    labels Map(String, String),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index Int32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (incident_id, event_id);

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
    event_id String,
    source LowCardinality(String),
    time DateTime64(9, 'UTC'),
    service_name LowCardinality(String),
    schema_version LowCardinality(String),
    observed_time Nullable(DateTime64(9, 'UTC')),
    ingest_dialect LowCardinality(String),
    semconv_schema_url String,
    tenant_id LowCardinality(String),
    service_version LowCardinality(String),
    service_namespace String,
    environment LowCardinality(String),
    deployment_id String,
    deployment_variant LowCardinality(String),
    model_version LowCardinality(String),
    trace_id String,
    span_id String,
    parent_span_id String,
    conversation_id String,
    session_id String,
    user_pseudo_id String,
    labels Map(String, String),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index Int32
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
    event_id String,
    source LowCardinality(String),
    time DateTime64(9, 'UTC'),
    service_name LowCardinality(String),
    schema_version LowCardinality(String),
    observed_time Nullable(DateTime64(9, 'UTC')),
    ingest_dialect LowCardinality(String),
    semconv_schema_url String,
    tenant_id LowCardinality(String),
    service_version LowCardinality(String),
    service_namespace String,
    environment LowCardinality(String),
    deployment_id String,
    deployment_variant LowCardinality(String),
    model_version LowCardinality(String),
    trace_id String,
    span_id String,
    parent_span_id String,
    conversation_id String,
    session_id String,
    user_pseudo_id String,
    labels Map(String, String),
    kafka_topic LowCardinality(String),
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    kafka_index Int32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (target_event_id, event_id);

CREATE VIEW rated_events AS
SELECT
    time, service_name, tenant_id, counted_version AS model_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session, trials, flagged, probe_id
FROM inferences
UNION ALL
SELECT
    time, service_name, tenant_id, counted_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id), trials, flagged, probe_id
FROM agent_steps
UNION ALL
SELECT
    time, service_name, tenant_id, counted_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id), trials, flagged, probe_id
FROM retrievals
UNION ALL
SELECT
    time, service_name, tenant_id, counted_version, deployment_variant, user_pseudo_id, event_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id), trials, flagged, probe_id
FROM guard_verdicts WHERE event_kind = 'guard_verdict';
