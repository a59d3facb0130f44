INSERT INTO category_minutes (
    minute, tenant_id, service_name, model_version, category, layer, findings, stopped, events,
    kafka_topic_id, kafka_partition, version
)
SELECT
    toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, category, layer,
    sum(counts), sum(stopped),
    uniqExactIf(if(event_kind = 'guard_verdict' AND target_event_id != '', target_event_id, event_id), counts > 0),
    {% include "writer.sql" %}
FROM guard_verdicts {{ final }}
ARRAY JOIN findings_category AS category, finding_counts AS counts, finding_stopped AS stopped
WHERE {% include "minutes.sql" %} AND probe_id = '' AND notEmpty(findings_category)
GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version, category, layer
