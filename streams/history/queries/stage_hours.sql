{% set time = "minute" %}
INSERT INTO stage_hours
    (hour, tenant_id, service_name, model_version, stage, judged, failed, bins, kafka_topic_id, kafka_partition, version)
SELECT
    toStartOfHour(minute) AS hour, tenant_id, service_name, model_version, stage, sum(judged), sum(failed), sumMap(bins),
    {% include "writer.sql" %}
FROM stage_minutes FINAL
WHERE {% include "hours.sql" %}
GROUP BY kafka_partition, hour, tenant_id, service_name, model_version, stage
