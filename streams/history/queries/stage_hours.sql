{% set time = "minute" %}
INSERT INTO stage_hours
    (hour, tenant_id, service_name, model_version, stage, judged, failed, bins, total_ms, squared_ms, kafka_topic_id,
    kafka_partition, version)
SELECT
    toStartOfHour(minute) AS hour, tenant_id, service_name, model_version, stage, sum(judged), sum(failed), sumMap(bins),
    sum(total_ms), sum(squared_ms),
    {% include "writer.sql" %}
FROM stage_minutes FINAL
WHERE {% include "hours.sql" %}
GROUP BY kafka_partition, hour, tenant_id, service_name, model_version, stage
