-- The source of documents that a control is about.
ALTER TABLE controls ADD COLUMN data_source_id String AFTER change_id;
