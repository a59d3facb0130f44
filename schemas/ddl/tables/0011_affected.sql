-- Who is affected by an incident, as counted from the events at a moment.
ALTER TABLE incident_evidence
    ADD COLUMN users_affected Nullable(Int64) AFTER missing,
    ADD COLUMN sessions_affected Nullable(Int64) AFTER users_affected,
    ADD COLUMN tenants_affected Nullable(Int64) AFTER sessions_affected,
    ADD COLUMN outputs_affected Nullable(Int64) AFTER tenants_affected,
    ADD COLUMN reached_user Nullable(Bool) AFTER outputs_affected;
