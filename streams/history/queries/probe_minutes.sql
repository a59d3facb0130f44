INSERT INTO probe_minutes
SELECT
    toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, probe_id, sum(sent), sum(detected),
    {% include "writer.sql" %}
FROM (
    {% for table in ["inferences", "agent_steps", "retrievals"] %}
    SELECT kafka_partition, time, tenant_id, service_name, counted_version, probe_id, 1 AS sent, 0 AS detected
    FROM {{ table }} {{ final }} WHERE {% include "minutes.sql" %} AND probe_id != ''
    UNION ALL
    {% endfor %}
    SELECT
        kafka_partition, time, tenant_id, service_name, counted_version, probe_id, 0 AS sent,
        status = 'ok' AND mode != 'shadow' AND verdict IN {flagging:Array(String)}
            AND (arrayExists(category -> startsWith(category, 'sec.'), findings_category)
                OR (mode != 'monitor' AND action IN {stopping:Array(String)})) AS detected
    FROM guard_verdicts {{ final }} WHERE {% include "minutes.sql" %} AND probe_id != ''
)
GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version, probe_id
