-- Of which family of attacks a probe is, and whether the service judged it or ended in an error.
ALTER TABLE probe_minutes
    ADD COLUMN family LowCardinality(String) AFTER detections,
    ADD COLUMN answered UInt64 AFTER family,
    ADD COLUMN failed UInt64 AFTER answered;
