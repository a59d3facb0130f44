{% set time = "minute" %}
INSERT INTO window_hours
SELECT
    toStartOfHour(minute) AS hour, service_name, sum(events), sum(trials), sum(flagged),
    source_topic_id, source_partition, {% include "writer.sql" %}
FROM window_minutes FINAL
WHERE {% include "hours.sql" %}
GROUP BY kafka_partition, hour, service_name, source_topic_id, source_partition
