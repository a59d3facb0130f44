-- Whoever judges an event, or follows it, knows its id and not its time: without an index all rows of a table are read.
-- Rows that are stored already get it when they are merged.
{% for table in ["inferences", "agent_steps", "retrievals", "guard_verdicts"] %}
ALTER TABLE {{ table }} ADD INDEX by_event_id event_id TYPE bloom_filter(0.001) GRANULARITY 1;
{% endfor %}
ALTER TABLE guard_verdicts ADD INDEX by_target_event_id target_event_id TYPE bloom_filter(0.001) GRANULARITY 1;
