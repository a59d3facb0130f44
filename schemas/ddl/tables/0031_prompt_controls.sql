-- The prompt whose version a promotion or a rollback is about.
ALTER TABLE controls ADD COLUMN prompt_name String AFTER data_source_id;
