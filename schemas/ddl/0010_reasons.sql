-- Why an emitter dropped or refused events: how many for each reason.

ALTER TABLE telemetry ADD COLUMN reasons Map(LowCardinality(String), Int64) AFTER reason;
