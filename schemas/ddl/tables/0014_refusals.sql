-- What a user was told who was refused, and what a service measures of itself.
ALTER TABLE inferences
    ADD COLUMN refusal_reason LowCardinality(String) AFTER reached_user,
    ADD COLUMN refusal_alternative Nullable(Bool) AFTER refusal_reason,
    ADD COLUMN handed_over Nullable(Bool) AFTER refusal_alternative;
ALTER TABLE telemetry ADD COLUMN measures Map(LowCardinality(String), Float64) AFTER reasons;
