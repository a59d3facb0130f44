{% include "harmed.sql" %}
SELECT trace_id, toUnixTimestamp64Nano(time) AS at, event_id, service_name, agent_name, what, name, span_id, parent_span_id,
    depth, host, texts, flagged, harm, start, sum(harm) OVER (PARTITION BY trace_id) AS harms,
    sum(step) OVER (PARTITION BY trace_id) AS steps
FROM (
{% include "of_traces.sql" %}
) QUALIFY steps > 0 ORDER BY harms DESC, steps, trace_id, at, event_id LIMIT 200
