-- Incidents and what is done about them. A repeat has the same identity and replaces itself.

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
    {{ envelope() }},
    {{ provenance() }}
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
    {{ envelope() }},
    {{ provenance() }}
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
    {{ envelope() }},
    {{ provenance() }}
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
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (incident_id, event_id);
