{#- Whether a call of the service ended in an error: it says nothing of the guards. -#}
{% set failed = "outcome IN ('error', 'cancelled') OR (outcome = '' AND error_type != '')" %}
INSERT INTO probe_minutes (
    minute, tenant_id, service_name, model_version, probe_id, sent, detections, family, answered, failed,
    kafka_topic_id, kafka_partition, version
)
SELECT
    toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, probe_id, sum(sent), sum(detected),
    max(family), sum(answered), sum(failed), {% include "writer.sql" %}
FROM (
    {% for table, family, answered, failed in [
        ("inferences", "labels['probe_family']", "source != 'watchkeeper/probe' AND NOT (" ~ failed ~ ")",
            "labels['probe_unreachable'] = '1' OR source != 'watchkeeper/probe' AND (" ~ failed ~ ")"),
        ("agent_steps", "''", "1", "0"), ("retrievals", "''", "1", "0"),
    ] %}
    SELECT
        kafka_partition, time, tenant_id, service_name, counted_version, probe_id, 1 AS sent, 0 AS detected,
        {{ family }} AS family, {{ answered }} AS answered, {{ failed }} AS failed
    FROM {{ table }} {{ final }} WHERE {% include "minutes.sql" %} AND probe_id != ''
    UNION ALL
    {% endfor %}
    SELECT
        kafka_partition, time, tenant_id, service_name, counted_version, probe_id, 0 AS sent,
        status = 'ok' AND mode != 'shadow' AND verdict IN {flagging:Array(String)}
            AND (arrayExists(category -> startsWith(category, 'sec.'), findings_category)
                OR (mode != 'monitor' AND action IN {stopping:Array(String)})) AS detected,
        '' AS family, 0 AS answered, 0 AS failed
    FROM guard_verdicts {{ final }} WHERE {% include "minutes.sql" %} AND probe_id != ''
)
GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version, probe_id
