-- What people make of tickets, and who an incident was given to.
CREATE TABLE triage
(
    decision LowCardinality(String),
    actor_kind LowCardinality(String),
    actor_id String,
    finding_id String,
    metric LowCardinality(String),
    reason String,
    expires_at Nullable(DateTime64(9, 'UTC')),
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (service_name, event_id);

ALTER TABLE incident_actions ADD COLUMN assignee_id String AFTER into_incident_id;

ALTER TABLE incident_transitions ADD COLUMN assignee_id String AFTER into_incident_id;
