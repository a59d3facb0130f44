-- When the harm of an incident ended, as estimated once it was proven to be over.
ALTER TABLE incident_evidence
    ADD COLUMN ended_time Nullable(DateTime64(9, 'UTC')) AFTER reached_user,
    ADD COLUMN ended_lower_time Nullable(DateTime64(9, 'UTC')) AFTER ended_time,
    ADD COLUMN ended_upper_time Nullable(DateTime64(9, 'UTC')) AFTER ended_lower_time;
