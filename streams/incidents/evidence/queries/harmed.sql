WITH harmed AS (
    SELECT event_id, trace_id FROM (
{% include source %}
    ) WHERE flag AND trace_id != '' ORDER BY time DESC, event_id LIMIT 10000
)
