INSERT INTO category_minutes
SELECT
    toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, category, layer,
    sum(counts), sum(stopped), {% include "writer.sql" %}
FROM guard_verdicts {{ final }}
ARRAY JOIN findings_category AS category, finding_counts AS counts, finding_stopped AS stopped
WHERE {% include "minutes.sql" %} AND probe_id = '' AND notEmpty(findings_category)
GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version, category, layer
