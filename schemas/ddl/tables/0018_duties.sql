-- What must be reported to others, as published with the policy, and what an action is about: a duty, a probe, a rule.
CREATE TABLE reporting_rules
(
    duty String,
    families Array(String),
    severities Array(String),
    services Array(String),
    hours Float64,
    authority String,
    basis String,
    published_at DateTime64(9, 'UTC')
)
ENGINE = ReplacingMergeTree(published_at)
ORDER BY (duty, published_at);

ALTER TABLE incident_actions ADD COLUMN about String AFTER assignee_id;

ALTER TABLE incident_transitions ADD COLUMN about String AFTER assignee_id;
