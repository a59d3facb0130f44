SELECT event_id
FROM (
{% include source %}
) WHERE flag ORDER BY time DESC, event_id LIMIT 20
