-- Which items of an agent's memory a step read, wrote or deleted: ids or hashes, never what they hold.
ALTER TABLE agent_steps
    ADD COLUMN memory_action LowCardinality(String) AFTER taint_sources,
    ADD COLUMN memory_store LowCardinality(String) AFTER memory_action,
    ADD COLUMN memory_ids Array(String) AFTER memory_store;
