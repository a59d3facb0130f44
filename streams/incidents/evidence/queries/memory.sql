{% include "harmed.sql" %}
SELECT concat(memory_store, '/', memory_id) AS item, any(written_against) AS against, sum(reads_elsewhere) AS reads,
    sum(answers) AS answered
FROM memory_influence
WHERE written_by IN (SELECT event_id FROM harmed) OR written_trace IN (SELECT trace_id FROM harmed)
GROUP BY item HAVING reads > 0 ORDER BY reads DESC, item LIMIT 5
